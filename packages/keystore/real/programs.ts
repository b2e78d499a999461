import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether openssl is there; with `REQUIRE_REAL=1` its absence is a failure. */
export const opensslIsMissing: boolean = spawnSync('openssl', ['version']).status !== 0
if (opensslIsMissing && process.env['REQUIRE_REAL'] === '1') throw new Error('the openssl program is required and not there')

/** Whether the JDK's keytool is there. A JDK is 200 MB, too much to install for every change: without one these tests are skipped everywhere. */
export const keytoolIsMissing: boolean = spawnSync('keytool', ['-help']).status !== 0
// oxlint-disable-next-line no-console -- a skip has to be seen
if (keytoolIsMissing) console.warn('keytool is not there: nothing is compared with the JDK')

/** A folder of its own for one test, with the two programs. */
export interface Workshop {
  write(file: string, content: string | Buffer): void
  read(file: string): Buffer
  openssl(...args: readonly string[]): string
  keytool(...args: readonly string[]): string
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
      keytool: (...args) => run('keytool', ['-J-Xshare:auto', '-J-XX:TieredStopAtLevel=1', '-J-Duser.language=en', ...args]),
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
