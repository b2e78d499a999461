import type { AuthToken } from '@sallyport/admin-api'
import type { IssuedToken } from './token-answer.ts'

/** Entries that have been made, by token and header; the same object is shown until its lifetime reads differently. */
const made = new WeakMap<IssuedToken, Map<string, AuthToken>>()

/** An entry with a token, ready to be sent as the header `key`. Its lifetime is what is left now. Nobody changes it: several may show it. */
export function tokenEntry(token: IssuedToken, nowMs: number, key = 'Authorization'): AuthToken {
  const lifetime =
    token.expiresAtMs === undefined ? {} : { expires_in: String(Math.max(0, Math.round((token.expiresAtMs - nowMs) / 1_000))) }
  const known = made.get(token)?.get(key)
  if (known !== undefined && known.expires_in === lifetime.expires_in) return known
  const entry: AuthToken = {
    type: token.type,
    value: token.value,
    http_header: { key, value: `${token.type} ${token.value}` },
    ...lifetime,
    ...(token.scope === undefined ? {} : { scope: token.scope }),
    ...(token.refreshToken === undefined ? {} : { refresh_token: token.refreshToken }),
    ...(token.issuedTokenType === undefined ? {} : { issued_token_type: token.issuedTokenType }),
  }
  made.set(token, (made.get(token) ?? new Map<string, AuthToken>()).set(key, entry))
  return entry
}

/** Clients recognise a failure by `error` beside empty texts and no header. */
export function failedEntry(error: string): AuthToken {
  return { type: '', value: '', error, expires_in: '' }
}
