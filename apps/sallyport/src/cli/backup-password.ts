import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { createSecret } from '@sallyport/core'
import type { ArchiveLock } from '@sallyport/store'
import { usageError } from '../output/exit-code.ts'

/** The variable that may hold the password instead of a file. */
export const backupPasswordVariable = 'SALLYPORT_BACKUP_PASSWORD'

const minPasswordLength = 8

/** The lock that the options of a command describe; nothing means the sealing key of the installation. */
export async function readBackupLock(passwordFile: string | undefined, environment: NodeJS.ProcessEnv): Promise<ArchiveLock | undefined> {
  const given = passwordFile === undefined ? environment[backupPasswordVariable] : await readPassword(passwordFile)
  if (given === undefined) return undefined
  const password = given.replace(/\r?\n$/, '')
  if (password.length < minPasswordLength) throw usageError(`the password of a backup needs at least ${minPasswordLength} characters`)
  return { kind: 'password', password: createSecret(password) }
}

async function readPassword(file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usageError(`--password-file "${file}" cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}
