import { X509Certificate } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { ConnectivityError } from '@sallyport/core'
import { maxSnapshotBytes } from '../limits.ts'

/** One call to the other instance of a pair. */
export interface PeerRequest {
  readonly host: string
  readonly port: number
  /** PEM of the one certificate that is accepted. Without it any is, and the answer tells which: for the first contact. */
  readonly certificate?: string | undefined
  /** SHA-256 that the certificate has to have besides, as somebody has told it. */
  readonly fingerprint?: string | undefined
  readonly authorization: string
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: unknown
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** How long an answer may stand still: one that is long in coming is not given up, and one that has stopped holds nobody up. */
  readonly stallTimeoutMs?: number | undefined
}

/** What the other instance answered. */
export interface PeerAnswer {
  readonly status: number
  /** JSON, or `undefined` for an empty or unreadable body. */
  readonly body: unknown
  /** PEM of the certificate that was shown. */
  readonly certificate: string
}

/** Calls the other instance. @throws ConnectivityError `PEER_UNREACHABLE`, `PEER_UNTRUSTED`, `DEADLINE_EXCEEDED`, `PROTOCOL_VIOLATION`. */
export type CallPeer = (request: PeerRequest) => Promise<PeerAnswer>

/** Over HTTPS, each call on a connection of its own. Nothing is sent before the certificate has been compared. */
export const callPeer: CallPeer = (call) =>
  new Promise((resolve, reject) => {
    const where = `https://${call.host}:${call.port}`
    const text = call.body === undefined ? undefined : JSON.stringify(call.body)
    const request = httpsRequest({
      host: call.host,
      port: call.port,
      method: call.method,
      path: call.path,
      agent: false,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      headers: {
        authorization: call.authorization,
        connection: 'close',
        ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
    })
    const timers: NodeJS.Timeout[] = []
    const settle = (): void => {
      for (const timer of timers) clearTimeout(timer)
      request.destroy()
    }
    // Rejects by itself: a request that is destroyed while its answer comes tells nobody.
    const fail = (code: 'DEADLINE_EXCEEDED' | 'PEER_UNREACHABLE' | 'PEER_UNTRUSTED' | 'PROTOCOL_VIOLATION', message: string): void => {
      reject(new ConnectivityError(code, message))
      settle()
    }
    const within = (timeMs: number, what: string): NodeJS.Timeout =>
      setTimeout(() => fail('DEADLINE_EXCEEDED', `${where} ${what} within ${timeMs} ms`), timeMs)
    const connecting = within(call.connectTimeoutMs, 'was not connected')
    timers.push(connecting, within(call.connectTimeoutMs + call.requestTimeoutMs, 'did not answer'))
    let shown = ''
    request.on('error', (error) => {
      fail('PEER_UNREACHABLE', `${where} cannot be reached${'code' in error ? ` (${String(error.code)})` : ''}`)
    })
    request.on('socket', (socket) => {
      const { stallTimeoutMs } = call
      if (stallTimeoutMs !== undefined)
        socket.setTimeout(stallTimeoutMs, () => fail('DEADLINE_EXCEEDED', `${where} has not sent a byte for ${stallTimeoutMs} ms`))
      socket.once('secureConnect', () => {
        clearTimeout(connecting)
        const certificate = (socket as TLSSocket).getPeerX509Certificate()
        shown = certificate?.toString() ?? ''
        if (isExpected(certificate, call)) request.end(text)
        else
          fail(
            'PEER_UNTRUSTED',
            `There is no trust with Cloud Connector on ${where}. Reset shadow configuration and try to connect shadow again`,
          )
      })
    })
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxSnapshotBytes) fail('PROTOCOL_VIOLATION', `${where} answered with more than ${maxSnapshotBytes} bytes`)
        else chunks.push(chunk)
      })
      response.on('error', () => fail('PEER_UNREACHABLE', `${where} broke its answer off`))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: tryParse(Buffer.concat(chunks).toString('utf8')), certificate: shown })
        settle()
      })
    })
  })

function isExpected(shown: X509Certificate | undefined, { certificate, fingerprint }: PeerRequest): boolean {
  if (shown === undefined) return false
  const plain = (text: string): string => text.replaceAll(/[:\s]/g, '').toLowerCase()
  if (fingerprint !== undefined && plain(fingerprint) !== plain(shown.fingerprint256)) return false
  return certificate === undefined || fingerprintOf(certificate) === shown.fingerprint256
}

/** SHA-256 of a certificate in PEM; `undefined` for what is none. */
export function fingerprintOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).fingerprint256
  } catch {
    // Not a certificate: equal to none.
    return undefined
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Empty, or not of a connector: the status says enough.
    return undefined
  }
}
