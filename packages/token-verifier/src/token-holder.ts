import type { TokenClaims } from './types.ts'

/** Grants by which an application gets a token for itself. */
const technicalGrants: readonly unknown[] = ['client_credentials', 'client_x509']
/** Claims that only the token of a person has. */
const personClaims = ['user_name', 'user_id', 'user_uuid', 'email', 'mail'] as const

/**
 * For whom a token speaks: a person, or the application that fetched it. The grant decides where the token names it; otherwise a claim that describes a person, or a
 * subject that is the client itself. `undefined` when the claims tell neither, as in a token of an identity provider with nothing but a subject.
 */
export function tokenHolder(claims: TokenClaims): 'person' | 'application' | undefined {
  if (technicalGrants.includes(claims.grant_type)) return 'application'
  if (claims.grant_type !== undefined || personClaims.some((claim) => isPresent(claims[claim]))) return 'person'
  const clients = [claims.client_id, claims.cid, claims.azp].filter(isPresent)
  return isPresent(claims.sub) && clients.includes(claims.sub) ? 'application' : undefined
}

function isPresent(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
