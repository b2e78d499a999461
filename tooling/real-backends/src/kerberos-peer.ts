import { createRequire } from 'node:module'
import { join } from 'node:path'
import { skip } from './programs.ts'

/** Whether tests have to be skipped because the package `kerberos` has not been compiled beside the cloud connector. Says so, or throws, as `skipUnless`. */
export function skipWithoutKerberosPeer(): boolean {
  try {
    createRequire(join(import.meta.dirname, '../../../packages/cloud-connector/package.json'))('kerberos')
    return false
  } catch {
    return skip('the package kerberos is not compiled; run: pnpm run kerberos')
  }
}
