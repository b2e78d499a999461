import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { HostAgent } from '@sallyport/connector-administration'
import { ConnectivityError } from '@sallyport/core'

/** A host agent that works answers at once; one that is starting needs some seconds. */
const timeoutMs = 30_000
const maxOutputBytes = 65_536

/** The host agent of this machine. It gets none of the settings of this process, and no shell comes between. */
export function createHostAgent(): HostAgent {
  return {
    isFile: (program) =>
      stat(program).then(
        (found) => found.isFile(),
        () => false,
      ),
    async ping(program) {
      try {
        await promisify(execFile)(program, ['-function', 'Ping'], {
          timeout: timeoutMs,
          killSignal: 'SIGKILL',
          maxBuffer: maxOutputBytes,
          env: { PATH: '/usr/bin:/bin' },
          cwd: '/',
        })
      } catch (error) {
        throw new ConnectivityError('SERVICE_UNAVAILABLE', `the host agent ${program} did not answer: ${reasonOf(error)}`, { cause: error })
      }
    },
  }
}

function reasonOf(error: unknown): string {
  const { code, killed, stderr = '' } = error as { readonly code?: string | number; readonly killed?: boolean; readonly stderr?: string }
  if (killed === true) return `it did not end within ${timeoutMs / 1000} s`
  const said = stderr.split('\n', 1)[0]?.slice(0, 200) ?? ''
  return `${typeof code === 'number' ? `it ended with status ${code}` : `it could not be started (${code ?? 'unknown'})`}${said === '' ? '' : `: ${said}`}`
}
