import { maxStreamMessageBytes } from '@sallyport/core'
import { embeddedTokenOf, namesOtherTenant, type TokenClaims } from '@sallyport/token-verifier'
import type { WirePrincipal } from '@sallyport/tunnel'
import { identityOf } from './identity.ts'
import { bearerToken } from './proxy-authorization.ts'
import type { Refusal } from './refusal.ts'
import * as refusals from './refusals.ts'

/** A principal to propagate. The token travels as it is; the identity only tells whether two requests speak for the same one. */
export interface ChosenPrincipal {
  readonly wire: WirePrincipal
  readonly identity: string
}

/** Names, ids and JSON around the token need far less than 2 KiB of the opening message. */
const maxTokenBytes = maxStreamMessageBytes - 2048

/** Where a request may name a principal. */
export interface PrincipalSources {
  readonly tenant: string
  /** Proxy token and who it speaks for, when it is that of a user. */
  readonly proxyUser: { readonly token: string; readonly identity: string } | undefined
  /** `SAP-Connectivity-Authentication` */
  readonly business: string | undefined
  /** `SAP-Connectivity-Technical-Authentication` */
  readonly technical: string | undefined
}

/**
 * The one principal that a request propagates, `undefined` for none.
 *
 * Neither signature nor expiry is looked at: the connector validates the token against its own trust. Only a tenant that the token names itself must be that
 * of the request, so that a mix-up shows here with a clear text. A token that cannot be decoded is passed on for the connector to refuse.
 *
 * Where the token of a person carries that of a corporate identity provider, the latter goes instead, and is validated like any other: the outer one vouches for
 * nothing. The header is named in texts only.
 */
export function choosePrincipal(
  sources: PrincipalSources,
  decode: (token: string) => TokenClaims | undefined,
): ChosenPrincipal | Refusal | undefined {
  const { proxyUser, business, technical } = sources
  if (business !== undefined && proxyUser !== undefined) return refusals.twoUsers
  if (technical !== undefined && (business !== undefined || proxyUser !== undefined)) return refusals.businessAndTechnical
  if (business !== undefined) return fromHeader('business', 'SAP-Connectivity-Authentication', business, sources.tenant, decode)
  if (technical !== undefined)
    return fromHeader('technical', 'SAP-Connectivity-Technical-Authentication', technical, sources.tenant, decode)
  if (proxyUser === undefined) return undefined
  const claims = decode(proxyUser.token)
  if (claims !== undefined && embeddedTokenOf(claims) !== undefined) {
    return chosen({ kind: 'business', header: 'Proxy-Authorization', token: proxyUser.token }, sources.tenant, decode)
  }
  if (proxyUser.token.length > maxTokenBytes) return refusals.tokenTooLong
  return { wire: { kind: 'business', token: proxyUser.token }, identity: proxyUser.identity }
}

function fromHeader(
  kind: WirePrincipal['kind'],
  header: string,
  value: string,
  tenant: string,
  decode: (token: string) => TokenClaims | undefined,
): ChosenPrincipal | Refusal {
  const token = bearerToken(value)
  return token === undefined ? refusals.notBearer(header) : chosen({ kind, header, token }, tenant, decode)
}

function chosen(
  { header, kind, token }: WirePrincipal & { readonly header: string },
  tenant: string,
  decode: (token: string) => TokenClaims | undefined,
): ChosenPrincipal | Refusal {
  if (token.length > maxTokenBytes) return refusals.tokenTooLong
  const claims = decode(token)
  if (claims === undefined) return { wire: { kind, token }, identity: `${kind} ${token}` }
  if (namesOtherTenant(claims, tenant)) return refusals.foreignUser(header)
  const embedded = kind === 'business' ? embeddedTokenOf(claims) : undefined
  if (embedded === undefined) return { wire: { kind, token }, identity: identityOf(kind, claims) }
  const inner = decode(embedded)
  // Without claims it could not even be told for which tenant it is.
  if (inner === undefined) return refusals.embeddedUnusable
  if (namesOtherTenant(inner, tenant)) return refusals.foreignUser(header)
  return { wire: { kind, token: embedded }, identity: identityOf(kind, inner) }
}
