import { ConnectivityError } from '@sallyport/core'
import { maxQuotedTokenErrorLength, maxTokenSeconds, minTokenSeconds } from '../limits.ts'
import type { OutgoingAnswer, OutgoingRequest } from './outgoing.ts'

/** A token as a token service has issued it. */
export interface IssuedToken {
  /** `Bearer`, however the server spells it, or another scheme. */
  readonly type: string
  readonly value: string
  readonly scope?: string
  readonly refreshToken?: string
  /** Unknown when the server does not say; then the token is not kept. */
  readonly expiresAtMs?: number
}

/**
 * Reads the answer of a token service.
 *
 * @throws ConnectivityError `TOKEN_NOT_ISSUED` with the server's own reason, `PROTOCOL_VIOLATION` when it is not an OAuth answer.
 */
export function readTokenAnswer(answer: OutgoingAnswer, request: OutgoingRequest, nowMs: number): IssuedToken {
  const body = tryParseObject(answer.body)
  if (answer.status < 200 || answer.status > 299) {
    throw new ConnectivityError('TOKEN_NOT_ISSUED', withoutSecrets(reasonOf(answer, body), request).slice(0, maxQuotedTokenErrorLength))
  }
  const value = body?.['access_token']
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new ConnectivityError('PROTOCOL_VIOLATION', 'The answer of the token service holds no access token')
  }
  const type = body?.['token_type'] ?? 'Bearer'
  if (typeof type !== 'string' || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(type)) {
    throw new ConnectivityError('PROTOCOL_VIOLATION', 'The answer of the token service holds no proper token type')
  }
  const [scope, refreshToken, seconds] = [readScope(body?.['scope']), body?.['refresh_token'], readSeconds(body?.['expires_in'])]
  if (seconds !== undefined && seconds < minTokenSeconds) {
    throw new ConnectivityError('TOKEN_NOT_ISSUED', 'The token service issued a token that is about to expire')
  }
  return {
    type: type.toLowerCase() === 'bearer' ? 'Bearer' : type,
    value,
    ...(scope === undefined ? {} : { scope }),
    ...(typeof refreshToken === 'string' && refreshToken !== '' ? { refreshToken } : {}),
    ...(seconds === undefined ? {} : { expiresAtMs: nowMs + seconds * 1_000 }),
  }
}

function reasonOf(answer: OutgoingAnswer, body: Readonly<Record<string, unknown>> | undefined): string {
  for (const reason of [body?.['error_description'], body?.['error'], answer.body]) {
    if (typeof reason === 'string' && reason.trim() !== '') return reason.trim()
  }
  return `The token service answered ${answer.status}`
}

/** A server may repeat what it was sent. Callers who asked for no credentials must not get them that way. */
function withoutSecrets(text: string, request: OutgoingRequest): string {
  const form = new URLSearchParams(request.body)
  const basic = /^Basic (.+)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? ''
  const password = Buffer.from(basic, 'base64')
    .toString('utf8')
    .replace(/^[^:]*:/, '')
  const secrets = ['client_secret', 'client_assertion', 'password'].flatMap((name) => form.getAll(name)).concat(basic, password)
  return secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret), new URLSearchParams({ '': secret }).toString().slice(1)])
    .filter((secret) => secret.length >= 4)
    .reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text)
}

function readScope(scope: unknown): string | undefined {
  if (typeof scope === 'string') return scope
  return Array.isArray(scope) && scope.every((part) => typeof part === 'string') ? scope.join(' ') : undefined
}

function readSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(Math.floor(seconds), maxTokenSeconds) : undefined
}

function tryParseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    // Not JSON: the status and the text itself say what there is to say.
    return undefined
  }
}
