import { ConnectivityError, type ErrorCode } from '@sallyport/core'
import { maxForeignTextLength } from './limits.ts'

/** What Node says about a call that got no answer. */
export function callError(attempt: string, error: unknown): ConnectivityError {
  if (ConnectivityError.is(error)) return error
  const { code: systemCode } = (error ?? {}) as { code?: unknown }
  const code = typeof systemCode === 'string' ? systemCode : ''
  if (/^(CERT_|ERR_TLS_CERT|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code)) {
    return new ConnectivityError('PEER_UNTRUSTED', `${attempt}: the certificate of the service is not trusted (${code}); check the CA`, {
      cause: error,
    })
  }
  // Reading a certificate or key failed, before any connection.
  if (code.startsWith('ERR_OSSL'))
    return new ConnectivityError('BINDING_INVALID', `${attempt}: the certificate or key is not PEM (${code})`)
  // llhttp's errors carry the bytes that it could not read; they stay here.
  if (code.startsWith('HPE_')) return new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the answer is not HTTP (${code})`)
  return new ConnectivityError('PEER_UNREACHABLE', `${attempt}: ${code === '' ? 'the connection failed' : code}`, { cause: error })
}

/** A connection that was not there in time. */
export function connectTimeoutError(attempt: string, timeoutMs: number): ConnectivityError {
  return new ConnectivityError('PEER_UNREACHABLE', `${attempt}: no connection within ${timeoutMs / 1000} s`)
}

/** A refused token. `error` of the answer is a code of RFC 6749 §5.2; its description is left out, it may name a user. */
export function tokenRefusal(attempt: string, status: number, body: unknown): ConnectivityError {
  if (isTransient(status)) return new ConnectivityError('SERVICE_UNAVAILABLE', `${attempt}: HTTP status ${status}`, { details: { status } })
  const oauthError = foreignText(member(body, 'error'))
  return new ConnectivityError(
    'TOKEN_NOT_ISSUED',
    `${attempt}: HTTP status ${status}${oauthError === '' ? '' : `, ${oauthError}`}; check the binding`,
    {
      details: { status },
    },
  )
}

const refusals: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  400: ['DESTINATION_INVALID', 'the service does not understand the request'],
  401: ['TOKEN_INVALID', 'the service does not accept the token'],
  403: ['ACCESS_DENIED', 'the token gives no right to this destination'],
  404: ['DESTINATION_NOT_FOUND', 'there is no such destination'],
}

/** An answer of the destination service other than 200. */
export function findRefusal(attempt: string, status: number, body: unknown): ConnectivityError {
  const text = foreignText(member(body, 'ErrorMessage'))
  const because = text === '' ? '' : `: "${text}"`
  if (isTransient(status)) {
    return new ConnectivityError('SERVICE_UNAVAILABLE', `${attempt}: HTTP status ${status}${because}`, { details: { status } })
  }
  // A 404 without the service's own text comes from somebody else, for example a router that does not know the host.
  const [code, meaning] = (status === 404 && text === '' ? undefined : refusals[status]) ?? [
    'PROTOCOL_VIOLATION',
    'this is no answer of a destination service; check "uri" of the binding',
  ]
  return new ConnectivityError(code, `${attempt}: ${meaning} (HTTP status ${status})${because}`, { details: { status } })
}

/** Whether a later attempt may do better: too many requests, or the service is in trouble. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

function member(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}

/** Foreign text in one line without control characters, bounded. Whatever looks like a token is left out. */
export function foreignText(value: unknown): string {
  if (typeof value !== 'string') return ''
  const line = value.replaceAll(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ').replaceAll(/[\w.-]+/g, (word) => (isTokenLike(word) ? '[token]' : word))
  return line.length > maxForeignTextLength ? `${line.slice(0, maxForeignTextLength)}…` : line
}

/** Two long parts beside each other and a third one. Whole words are looked at, because a pattern that searches for the parts takes quadratic time. */
function isTokenLike(word: string): boolean {
  return word.split('.').some((part, at, parts) => part.length >= 10 && (parts[at + 1]?.length ?? 0) >= 10 && at + 2 < parts.length)
}
