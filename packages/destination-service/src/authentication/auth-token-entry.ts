import type { AuthToken } from '@sallyport/admin-api'
import type { IssuedToken } from './token-answer.ts'

/** An entry with a token, ready to be sent as the header `key`. Its lifetime is what is left now. */
export function tokenEntry(token: IssuedToken, nowMs: number, key = 'Authorization'): AuthToken {
  return {
    type: token.type,
    value: token.value,
    http_header: { key, value: `${token.type} ${token.value}` },
    ...(token.expiresAtMs === undefined ? {} : { expires_in: String(Math.max(0, Math.round((token.expiresAtMs - nowMs) / 1_000))) }),
    ...(token.scope === undefined ? {} : { scope: token.scope }),
    ...(token.refreshToken === undefined ? {} : { refresh_token: token.refreshToken }),
    ...(token.issuedTokenType === undefined ? {} : { issued_token_type: token.issuedTokenType }),
  }
}

/** Clients recognise a failure by `error` beside empty texts and no header. */
export function failedEntry(error: string): AuthToken {
  return { type: '', value: '', error, expires_in: '' }
}
