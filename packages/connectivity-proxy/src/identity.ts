import type { TokenClaims } from '@sallyport/token-verifier'

/**
 * Who a token speaks for, as a text to compare. A renewed token of the same principal has the same identity; its audience, client, scopes and times do not count.
 * The claims may be unchecked: whoever forges one only decides for his own connection, and the connector validates every token.
 */
export function identityOf(kind: 'business' | 'technical', claims: TokenClaims): string {
  const who =
    kind === 'business'
      ? [
          claims.iss,
          claims.zid,
          claims.app_tid,
          claims.origin,
          claims.user_id,
          claims.user_uuid,
          claims.user_name,
          claims.email,
          claims.sub,
        ]
      : [claims.iss, claims.zid, claims.app_tid, claims.client_id, claims.cid, claims.azp, claims.sub]
  return JSON.stringify([kind, ...who])
}
