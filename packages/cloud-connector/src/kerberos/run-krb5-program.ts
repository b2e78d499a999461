import { execFile } from 'node:child_process'
import { maxProgramOutputBytes } from '../limits.ts'
import { missingProblem } from './kerberos-problem.ts'

/** How a program of MIT Kerberos ended. `said` is what it wrote to standard error. */
export interface ProgramEnd {
  readonly succeeded: boolean
  readonly said: string
}

/**
 * Runs a program of MIT Kerberos to its end, without shell and with no environment but the given one. When the signal fires it is killed, and has ended before that
 * is told: it writes to no file that is removed then.
 *
 * @throws ConnectivityError `PRINCIPAL_NOT_ISSUED` when it is not installed; the reason of the signal.
 */
export function runKrb5Program(
  name: 'kinit' | 'kvno',
  args: readonly string[],
  options: { readonly environment: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<ProgramEnd> {
  const { environment, signal } = options
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const settings = { env: { ...environment }, signal, killSignal: 'SIGKILL', maxBuffer: maxProgramOutputBytes, encoding: 'utf8' } as const
    const child = execFile(name, [...args], settings, (error, _out, said) => {
      if (signal.aborted) {
        const runs = child.pid !== undefined && child.exitCode === null && child.signalCode === null
        const tell = (): void => reject(signal.reason as Error)
        return runs ? void child.once('exit', tell) : tell()
      }
      if (error?.code === 'ENOENT')
        return reject(
          missingProblem(`${name} is not installed on the machine of the connector; install MIT Kerberos (krb5-user, krb5-workstation)`),
        )
      resolve({ succeeded: error === null, said: said === '' ? (error?.message ?? '') : said })
    })
    // They must not wait for somebody who types a password.
    child.stdin?.end()
  })
}
