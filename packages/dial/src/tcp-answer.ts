import { ConnectivityError, type ErrorCode } from '@sallyport/core'
import type { TcpAnswer } from '@sallyport/tunnel'
import { maxRefusalTextLength, maxTunnelAnswerBytes } from './limits.ts'

/** The codes that a connector may refuse with; a newer one may know more. */
const refusalCodes: ReadonlySet<string> = new Set<Extract<TcpAnswer, { kind: 'refused' }>['code']>([
  'ACCESS_DENIED',
  'BACKEND_UNREACHABLE',
  'BACKEND_UNTRUSTED',
  'BACKEND_TIMEOUT',
  'PROTOCOL_VIOLATION',
])

/** Reads the connector's answer: `undefined` when the backend is connected, else the error for the caller. */
export function readTcpAnswer(message: Buffer, attempt: string): ConnectivityError | undefined {
  const answer = message.length <= maxTunnelAnswerBytes ? tryParse(message) : undefined
  if (answer?.['kind'] === 'connected') return undefined
  const { code, message: text } = answer ?? {}
  if (answer?.['kind'] !== 'refused' || typeof code !== 'string' || typeof text !== 'string') {
    return new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: unknown answer of the cloud connector`)
  }
  const line = text.replaceAll(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ').slice(0, maxRefusalTextLength)
  return new ConnectivityError(refusalCodes.has(code) ? (code as ErrorCode) : 'PROTOCOL_VIOLATION', `${attempt}: ${line}`)
}

function tryParse(message: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(message.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // Not JSON is an unknown answer.
    return undefined
  }
}
