import { randomBytes } from 'node:crypto'
import { startForeground } from './foreground.ts'
import { findProgram } from './programs.ts'
import { startOnFreePorts } from './start-on-free-ports.ts'

/** A running private OpenBao or HashiCorp Vault, unsealed, with nothing kept on the disk. */
export interface Vault extends AsyncDisposable {
  readonly url: string
  readonly rootToken: string
  /** Asks its HTTP API with the root token; the parsed answer, `undefined` for an empty one. @throws Error for a status of 400 or more. */
  ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'LIST', path: string, body?: object): Promise<unknown>
  stop(): Promise<void>
}

/** The servers that understand this, by the names of their programs. */
const programs = ['bao', 'vault'] as const
const startTimeoutMs = 30_000

/**
 * Whether there is no program for {@link startVault}; says so on standard error. Debian has neither, so this does not fail where real programs are required:
 * whoever wants the suite installs OpenBao (its `bao` is one file).
 */
export function skipWithoutVault(): boolean {
  if (programs.some((name) => findProgram(name) !== undefined)) return false
  process.stderr.write(`\n*** SKIPPED against the real world: neither ${programs.join(' nor ')} is installed, and Debian has none ***\n`)
  return true
}

/** Starts the server in its development mode: in memory, unsealed, without TLS, on a loopback port. The caller stops it. */
export async function startVault(): Promise<Vault> {
  const program = programs.find((name) => findProgram(name) !== undefined) ?? programs[0]
  const rootToken = randomBytes(16).toString('hex')
  const common = ['server', '-dev', '-dev-no-store-token', `-dev-root-token-id=${rootToken}`, '-log-level=info']
  const { program: server, ports } = await startOnFreePorts(['http'], {
    start: ({ http }) =>
      startForeground({
        program,
        args: [...common, `-dev-listen-address=127.0.0.1:${http}`],
        ready: /core: (post-unseal setup complete|successful mount|enabled .*engine)|server started/i,
        timeoutMs: startTimeoutMs,
        from: 'both',
      }),
  })
  const url = `http://127.0.0.1:${ports.http}`
  return {
    url,
    rootToken,
    async ask(method, path, body) {
      const answer = await fetch(`${url}/v1/${path}`, {
        method,
        headers: { 'x-vault-token': rootToken, 'x-vault-request': 'true' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      if (answer.status >= 400) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`)
      return text === '' ? undefined : (JSON.parse(text) as unknown)
    },
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  }
}
