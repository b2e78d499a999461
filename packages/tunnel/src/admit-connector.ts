import type { X509Certificate } from 'node:crypto'
import { type Clock, ConnectivityError, type TunnelConnection } from '@sallyport/core'
import { holdStream, type HeldStream } from './held-stream.ts'
import { type ControlOpening, type ControlRefusalCode, messageVersion, oldestMessageVersion } from './messages.ts'
import { tryParseControlOpening } from './parse-messages.ts'

/** Decides whether a connector may hold a tunnel, and for which subaccount. What the connector claims counts for nothing there. */
export type AuthorizeConnector = (
  peerCertificate: X509Certificate | undefined,
  opening: ControlOpening,
) => Promise<
  | { readonly allowed: true; readonly subaccount: string }
  | { readonly allowed: false; readonly code: ControlRefusalCode; readonly message: string; readonly subaccount?: string }
>

/** What came of the first seconds of a connection. */
export type Admission =
  /** It said nothing usable; there is nobody to answer. */
  | { readonly kind: 'silent'; readonly error: ConnectivityError }
  | {
      readonly kind: 'refused'
      readonly opening: ControlOpening
      readonly control: HeldStream
      readonly code: ControlRefusalCode
      readonly message: string
      readonly subaccount: string
    }
  | {
      readonly kind: 'admitted'
      readonly opening: ControlOpening
      readonly control: HeldStream
      readonly version: number
      readonly subaccount: string
    }

/**
 * Waits for the control opening of a new connection and asks whether it is welcome. Until then no stream is accepted but
 * that one, and afterwards none at all. Bounded in time as a whole; the caller aborts the connection unless it is admitted.
 */
export async function admitConnector(options: {
  readonly connection: TunnelConnection
  readonly authorize: AuthorizeConnector
  readonly clock: Clock
  readonly timeoutMs: number
}): Promise<Admission> {
  const { connection, timeoutMs } = options
  const silent = (code: 'PROTOCOL_VIOLATION' | 'TUNNEL_LOST', message: string): Admission => ({
    kind: 'silent',
    error: new ConnectivityError(code, message),
  })
  let stop: () => void = () => {}
  let whenLate: () => void = () => {}
  const late = new Promise<'late'>((resolve) => {
    whenLate = () => resolve('late')
  })
  try {
    stop = options.clock.after(timeoutMs, whenLate)
    const first = await Promise.race([firstStream(connection), late, connection.closed.then(() => 'closed' as const)])
    if (first === 'closed') return silent('TUNNEL_LOST', 'the connection ended before its control opening')
    if (first === 'late') return silent('PROTOCOL_VIOLATION', `no control opening in ${timeoutMs} ms`)
    if (first === undefined) return silent('PROTOCOL_VIOLATION', 'the first stream is not a control stream')
    const { opening, control } = first
    const refused = (code: ControlRefusalCode, message: string, subaccount = ''): Admission => {
      return { kind: 'refused', opening, control, code, message, subaccount }
    }
    const version = opening.versions.find((offered) => offered <= messageVersion && offered >= oldestMessageVersion)
    if (version === undefined) {
      return refused(
        'VERSION_UNSUPPORTED',
        `this server speaks versions ${oldestMessageVersion} to ${messageVersion} of the control messages`,
      )
    }
    const verdict = await Promise.race([options.authorize(connection.peerCertificate, opening), late])
    if (verdict === 'late') return refused('SERVICE_UNAVAILABLE', `the connector could not be checked in ${timeoutMs} ms`)
    if (!verdict.allowed) return refused(verdict.code, verdict.message, verdict.subaccount)
    return { kind: 'admitted', opening, control, version, subaccount: verdict.subaccount }
  } finally {
    stop()
  }
}

/** The first stream of the peer, taken if it is a control stream and refused if not. */
function firstStream(
  connection: TunnelConnection,
): Promise<{ readonly opening: ControlOpening; readonly control: HeldStream } | undefined> {
  return new Promise((resolve) => {
    connection.onStream = (incoming) => {
      connection.onStream = undefined
      const opening = tryParseControlOpening(incoming.opening)
      if (opening === undefined) {
        incoming.refuse()
        resolve(undefined)
      } else {
        resolve({ opening, control: holdStream((handlers) => incoming.accept(handlers)) })
      }
    }
  })
}
