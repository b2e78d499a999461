import { createHash } from 'node:crypto'
import type { AuthToken, DestinationRecord } from '@sallyport/admin-api'
import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import type { TokenVerifier } from '@sallyport/token-verifier'
import { malformed } from '../http/answer.ts'
import type { Level } from '../entities/entity-repository.ts'
import { type FindHeaders, isSubdomain } from '../find/find-headers.ts'
import type { Outgoing, OutgoingRequest } from './outgoing.ts'
import { type IssuedToken, readTokenAnswer } from './token-answer.ts'
import { createTokenCache } from './token-cache.ts'
import { clientCredentialsRequest } from './token-request.ts'

/** Gets the tokens that a destination's `Authentication` asks for. */
export interface TokenSource {
  /**
   * One entry, or none for types without. A token that could not be had is an entry with `error`.
   *
   * @throws ConnectivityError `MESSAGE_INVALID` when the headers do not fit the destination.
   */
  tokensFor(asked: TokenAsked): Promise<readonly AuthToken[]>
  /** Ends the calls that are under way. */
  close(): void
}

/** A destination as it was found, and what the caller said. */
interface TokenAsked {
  readonly properties: DestinationRecord
  readonly level: Level
  readonly etag: string
  readonly headers: FindHeaders
  readonly log: Logger
}

/** What getting tokens takes. */
export interface TokenSourceDeps {
  readonly outgoing: Outgoing
  readonly verifier: TokenVerifier
  readonly clock: Clock
}

/** Types of the original that this version stores and does not carry out. */
const unsupportedTypes: ReadonlySet<string> = new Set([
  'ClientCertificateAuthentication',
  'OAuth2AuthorizationCode',
  'OAuth2JWTBearer',
  'OAuth2Password',
  'OAuth2RefreshToken',
  'OAuth2SAMLBearerAssertion',
  'OAuth2TokenExchange',
  'OAuth2UserTokenExchange',
  'SAMLAssertion',
])

const retrievalFailed = 'Retrieval of OAuthToken failed due to: '

/** Gets tokens by the `Authentication` of a destination: each type is one case, those that this version does not carry out say so. */
export function createTokenSource(deps: TokenSourceDeps): TokenSource {
  const cache = createTokenCache(deps)
  const closing = new AbortController()

  async function clientCredentials(
    asked: TokenAsked,
    options: { readonly headerKey: string; readonly alwaysInternet: boolean },
  ): Promise<AuthToken> {
    const { properties, level, etag, headers, log } = asked
    const common = properties['tokenServiceURLType']?.toLowerCase() === 'common'
    if (!common && headers.tenant !== undefined) {
      throw malformed("The header 'X-tenant' can be sent only when the tokenServiceURLType property is Common")
    }
    if (headers.assertionProvider !== undefined || (headers.assertion === undefined && properties['clientAssertion.destinationName'])) {
      return failure('Client assertions of another destination are not supported by this version')
    }
    const tenant = common ? await tenantOf(headers, deps.verifier) : { subdomain: undefined }
    if ('problem' in tenant) return failure(retrievalFailed + tenant.problem)
    const { subdomain } = tenant
    const call = clientCredentialsRequest(properties, { subdomain, assertion: headers.assertion, alwaysInternet: options.alwaysInternet })
    if ('problem' in call) return failure(retrievalFailed + call.problem)
    try {
      const key = { subaccountId: level.subaccountId, digest: digestOf(level, properties.Name, etag, call.request) }
      const token = await cache.get(key, async () =>
        readTokenAnswer(await deps.outgoing.post(call.request, closing.signal), call.request, deps.clock.now()),
      )
      return entryOf(token, options.headerKey, deps.clock.now())
    } catch (error) {
      if (!ConnectivityError.is(error)) throw error
      log.warn({ destination: properties.Name, subaccount: level.subaccountId, code: error.code }, 'token retrieval failed')
      return failure(retrievalFailed + error.message)
    }
  }

  async function tokensFor(asked: TokenAsked): Promise<readonly AuthToken[]> {
    const { properties } = asked
    const type = properties['Authentication'] || 'NoAuthentication'
    // Clients of the other types log on with the properties themselves.
    if (properties.Type !== 'HTTP' && properties.Type !== 'MAIL') return []
    switch (type) {
      case 'NoAuthentication':
      case 'PrincipalPropagation':
        return []
      case 'BasicAuthentication':
        return properties.Type === 'HTTP' ? [basicEntry(properties)] : []
      case 'OAuth2ClientCredentials':
        return [await clientCredentials(asked, { headerKey: 'Authorization', alwaysInternet: false })]
      case 'OAuth2TechnicalUserPropagation':
        return [await clientCredentials(asked, { headerKey: 'SAP-Connectivity-Technical-Authentication', alwaysInternet: true })]
      case 'ClientCertificateAuthentication':
        // The application has the certificate, and there is nothing to add.
        if (properties['KeyStore.Source'] === 'ClientProvided') return []
        return [failure(`Authentication type ${type} is not supported by this version`)]
      case 'SAPAssertionSSO':
        return [failure(`Authentication type ${type} is not supported`)]
      default:
        return [
          failure(
            unsupportedTypes.has(type) ? `Authentication type ${type} is not supported by this version` : 'Unsupported authentication type',
          ),
        ]
    }
  }

  return {
    tokensFor,
    close: () => closing.abort(new ConnectivityError('SERVICE_UNAVAILABLE', 'The service is shutting down')),
  }
}

/** Where the tenant of a shared token service comes from: the user's token when there is one, else the header. */
async function tenantOf(
  { tenant, userToken }: FindHeaders,
  verifier: TokenVerifier,
): Promise<{ readonly subdomain: string | undefined } | { readonly problem: string }> {
  if (userToken === undefined || tenant !== undefined) return { subdomain: tenant }
  const verdict = await verifier.verify(userToken)
  if (!verdict.valid) return { problem: `The JWT in X-user-token is not valid (${verdict.reason})` }
  const { ext_attr: extension, iss } = verdict.token.claims
  const subdomain = extension?.zdn || URL.parse(iss ?? '')?.hostname.split('.')[0]
  return subdomain === undefined || !isSubdomain(subdomain)
    ? { problem: 'The JWT in X-user-token names no tenant subdomain' }
    : { subdomain }
}

/** Tokens are shared between callers only where destination, version and every byte of the request are the same. */
function digestOf(level: Level, name: string, etag: string, request: OutgoingRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([level.subaccountId, level.instanceId, name, etag, request]))
    .digest('base64')
}

function entryOf(token: IssuedToken, headerKey: string, nowMs: number): AuthToken {
  return {
    type: token.type,
    value: token.value,
    http_header: { key: headerKey, value: `${token.type} ${token.value}` },
    ...(token.expiresAtMs === undefined ? {} : { expires_in: String(Math.max(0, Math.round((token.expiresAtMs - nowMs) / 1_000))) }),
    ...(token.scope === undefined ? {} : { scope: token.scope }),
    ...(token.refreshToken === undefined ? {} : { refresh_token: token.refreshToken }),
  }
}

function basicEntry(properties: DestinationRecord): AuthToken {
  const value = Buffer.from(`${properties['User'] ?? ''}:${properties['Password'] ?? ''}`, 'utf8').toString('base64')
  return { type: 'Basic', value, http_header: { key: 'Authorization', value: `Basic ${value}` } }
}

/** Clients recognise a failure by `error` beside empty texts and no header. */
function failure(error: string): AuthToken {
  return { type: '', value: '', error, expires_in: '' }
}
