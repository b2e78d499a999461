import { ConnectivityError } from '@sallyport/core'
import { maxQuotedTokenErrorLength, maxTokenSeconds, minTokenSeconds } from '../limits.ts'
import type { OutgoingAnswer, OutgoingRequest } from './outgoing-request.ts'
import { withoutSecrets } from './sent-secrets.ts'

/** A token as a token service has issued it. */
export interface IssuedToken {
  /** `Bearer`, however the server spells it, or another scheme. */
  readonly type: string
  readonly value: string
  readonly scope?: string
  readonly refreshToken?: string
  /** What kind of token an exchange has issued. */
  readonly issuedTokenType?: string
  /** Unknown when the server does not say; then the token is not kept. */
  readonly expiresAtMs?: number
}

/**
 * Reads the answer of a token service.
 *
 * @throws ConnectivityError `TOKEN_NOT_ISSUED` with the server's own reason, `PROTOCOL_VIOLATION` when it is not an OAuth answer.
 */
export function readTokenAnswer(answer: OutgoingAnswer, request: OutgoingRequest, nowMs: number): IssuedToken {
  const body = successfulBody(answer, request)
  const value = body?.['access_token']
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new ConnectivityError('PROTOCOL_VIOLATION', 'The answer of the token service holds no access token')
  }
  const type = body?.['token_type'] ?? 'Bearer'
  if (typeof type !== 'string' || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(type)) {
    throw new ConnectivityError('PROTOCOL_VIOLATION', 'The answer of the token service holds no proper token type')
  }
  const [scope, refreshToken, seconds] = [readScope(body?.['scope']), body?.['refresh_token'], readSeconds(body?.['expires_in'])]
  const issuedTokenType = body?.['issued_token_type']
  if (seconds !== undefined && seconds < minTokenSeconds) {
    throw new ConnectivityError('TOKEN_NOT_ISSUED', 'The token service issued a token that is about to expire')
  }
  return {
    type: type.toLowerCase() === 'bearer' ? 'Bearer' : type,
    value,
    ...(scope === undefined ? {} : { scope }),
    ...(typeof refreshToken === 'string' && refreshToken !== '' ? { refreshToken } : {}),
    ...(typeof issuedTokenType === 'string' && issuedTokenType !== '' ? { issuedTokenType } : {}),
    ...(seconds === undefined ? {} : { expiresAtMs: nowMs + seconds * 1_000 }),
  }
}

/**
 * Reads one text out of the answer of a token service that issues something else than an access token.
 *
 * @throws ConnectivityError as {@link readTokenAnswer}.
 */
export function readAnswerMember(answer: OutgoingAnswer, request: OutgoingRequest, member: 'refresh_token' | 'id_token'): string {
  const value = successfulBody(answer, request)?.[member]
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value
  throw new ConnectivityError('PROTOCOL_VIOLATION', `The answer of the token service holds no ${member.replace('_', ' ')}`)
}

function successfulBody(answer: OutgoingAnswer, request: OutgoingRequest): Readonly<Record<string, unknown>> | undefined {
  const body = tryParseObject(answer.body)
  if (answer.status >= 200 && answer.status <= 299) return body
  throw new ConnectivityError('TOKEN_NOT_ISSUED', withoutSecrets(reasonOf(answer, body), request).slice(0, maxQuotedTokenErrorLength))
}

function reasonOf(answer: OutgoingAnswer, body: Readonly<Record<string, unknown>> | undefined): string {
  for (const reason of [body?.['error_description'], body?.['error'], answer.body]) {
    if (typeof reason === 'string' && reason.trim() !== '') return reason.trim()
  }
  return `The token service answered ${answer.status}`
}

function readScope(scope: unknown): string | undefined {
  if (typeof scope === 'string') return scope
  return Array.isArray(scope) && scope.every((part) => typeof part === 'string') ? scope.join(' ') : undefined
}

function readSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(Math.floor(seconds), maxTokenSeconds) : undefined
}

/** The JSON object that a text is; `undefined` for anything else. */
export function tryParseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    // Not JSON: the status and the text itself say what there is to say.
    return undefined
  }
}
