import { X509Certificate } from 'node:crypto'
import { Agent, request as httpsRequest } from 'node:https'
import { checkServerIdentity } from 'node:tls'
import { ConnectivityError } from '@sallyport/core'

/** One HTTP request over TLS. */
export interface PinnedRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the address. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** What was answered. */
export interface PinnedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

/** Sends requests to one address, on connections that are kept. */
export interface PinnedCaller extends Disposable {
  (request: PinnedRequest): Promise<PinnedAnswer>
}

/** A new subaccount is enrolled and connected before it is answered. */
const timeoutMs = 60_000
/** A backup of some hundred thousand resources. */
const maxAnswerBytes = 134_217_728

/**
 * Calls an address whose certificate, or its authority, is known beforehand (PEM). Nothing else is trusted, neither what the machine trusts. A certificate that is
 * named itself need not name the host.
 *
 * @throws ConnectivityError `PEER_UNTRUSTED`, `PEER_UNREACHABLE`, `DEADLINE_EXCEEDED`, `PROTOCOL_VIOLATION`.
 */
export function createPinnedCaller(address: string, certificates: string): PinnedCaller {
  const pins = fingerprintsOf(certificates)
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 4,
    ca: certificates,
    allowPartialTrustChain: true,
    minVersion: 'TLSv1.2',
    checkServerIdentity: (host, shown) => (pins.has(shown.fingerprint256) ? undefined : checkServerIdentity(host, shown)),
  })
  const call = ({ body, headers, method, path }: PinnedRequest): Promise<PinnedAnswer> =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
      const request = httpsRequest(new URL(path, address), {
        agent,
        method,
        headers: { ...headers, ...length },
        signal: AbortSignal.timeout(timeoutMs),
      })
      const fail = (cause: unknown): void => reject(callError(cause, address))
      request.on('error', fail)
      request.on('response', (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxAnswerBytes)
            response.destroy(new ConnectivityError('PROTOCOL_VIOLATION', `${address} answered with more than ${maxAnswerBytes} bytes`))
          else chunks.push(chunk)
        })
        response.on('error', fail)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }))
      })
      request.end(body)
    })
  return Object.assign(call, { [Symbol.dispose]: () => agent.destroy() })
}

/** @throws ConnectivityError `CONFIGURATION_INVALID` for what are no certificates. */
function fingerprintsOf(pem: string): ReadonlySet<string> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    if (blocks.length === 0) throw new Error('there is none')
    return new Set(blocks.map((block) => new X509Certificate(block).fingerprint256))
  } catch (cause) {
    throw new ConnectivityError('CONFIGURATION_INVALID', 'the certificate of the administration is not a certificate in PEM', { cause })
  }
}

function callError(cause: unknown, address: string): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  const { code = '', name } = cause as NodeJS.ErrnoException
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code))
    return new ConnectivityError('PEER_UNTRUSTED', `${address} shows another certificate than the one that is known (${code})`, {
      cause,
      details: { next: 'compare it on the machine of the connector, then name its certificate or authority with --certificate <file>' },
    })
  if (name === 'TimeoutError' || name === 'AbortError')
    return new ConnectivityError('DEADLINE_EXCEEDED', `${address} did not answer within ${timeoutMs / 1000} s`, { cause })
  return new ConnectivityError('PEER_UNREACHABLE', `${address} cannot be reached${code === '' ? '' : ` (${code})`}`, {
    cause,
    details: { next: 'look whether the connector runs there: sallyport status' },
  })
}
