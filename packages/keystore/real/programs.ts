import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipUnless } from '@sallyport/real-backends'

export const opensslIsMissing: boolean = skipUnless('openssl')
export const keytoolIsMissing: boolean = skipUnless('keytool')

/** A folder of its own for one test, with the two programs. */
export interface Workshop {
  write(file: string, content: string | Buffer): void
  read(file: string): Buffer
  openssl(...args: readonly string[]): string
  keytool(...args: readonly string[]): string
  /** Runs a program in one file of source. */
  java(...args: readonly string[]): string
}

/** Runs `work` in a folder that is removed afterwards. */
export function inWorkshop<T>(work: (workshop: Workshop) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-keystore-'))
  const run = (program: string, args: readonly string[]): string =>
    execFileSync(program, args, { cwd: folder, timeout: 15_000, stdio: ['ignore', 'pipe', 'pipe'] }).toString()
  try {
    return work({
      write: (file, content) => writeFileSync(join(folder, file), content),
      read: (file) => readFileSync(join(folder, file)),
      openssl: (...args) => run('openssl', args),
      java: (...args) => run('java', ['-Xshare:auto', '-XX:TieredStopAtLevel=1', ...args]),
      keytool: (...args) => run('keytool', ['-J-Xshare:auto', '-J-XX:TieredStopAtLevel=1', '-J-Duser.language=en', ...args]),
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
