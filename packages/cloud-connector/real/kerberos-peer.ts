import { createRequire } from 'node:module'

/** Whether tests have to be skipped because the package `kerberos` has not been compiled. Says so. @throws Error instead when `REQUIRE_REAL=1`. */
export function skipWithoutKerberosPeer(): boolean {
  try {
    createRequire(import.meta.url)('kerberos')
    return false
  } catch {
    const reason = 'the package kerberos is not compiled; run: pnpm run kerberos'
    if (process.env['REQUIRE_REAL'] === '1') throw new Error(`${reason} (REQUIRE_REAL=1 forbids to skip)`)
    process.stderr.write(`\n*** SKIPPED against the real world: ${reason} ***\n`)
    return true
  }
}
