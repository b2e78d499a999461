import type { AuthToken } from '@sallyport/admin-api'
import { type Clock, ConnectivityError } from '@sallyport/core'
import type { TokenVerifier } from '@sallyport/token-verifier'
import { failedEntry } from './auth-token-entry.ts'
import type { AuthenticationOutcome, AuthenticationRequest, Authenticator } from './authentication-request.ts'
import { createCallLimit } from './call-limit.ts'
import type { AuthenticationSettings, FlowTools } from './flow.ts'
import { authorizationCode } from './flows/authorization-code.ts'
import { basic } from './flows/basic.ts'
import { clientCertificate } from './flows/client-certificate.ts'
import { clientCredentials, clientCredentialsToken } from './flows/client-credentials.ts'
import { jwtBearer } from './flows/jwt-bearer.ts'
import { password } from './flows/password.ts'
import { principalPropagation } from './flows/principal-propagation.ts'
import { refreshToken } from './flows/refresh-token.ts'
import { samlAssertion } from './flows/saml-assertion.ts'
import { samlBearerAssertion } from './flows/saml-bearer-assertion.ts'
import { sapAssertionSso } from './flows/sap-assertion-sso.ts'
import { technicalUserPropagation } from './flows/technical-user-propagation.ts'
import { tokenExchange } from './flows/token-exchange.ts'
import { userTokenExchange } from './flows/user-token-exchange.ts'
import { maxTokenCalls, maxTokenCallsPerSubaccount } from '../limits.ts'
import { createForeignTokens } from './foreign-token.ts'
import type { Flow } from './flow.ts'
import { createKeystoreReader } from './keystore-reader.ts'
import type { Outgoing } from './outgoing.ts'
import { returnedCertificates } from './returned-certificates.ts'
import { createTokenCache } from './token-cache.ts'
import { createTokenCalls } from './token-calls.ts'
import { createUserInfo } from './user-info.ts'
import { createKeySets } from './user-key-sets.ts'
import { createUserTokens } from './user-token.ts'

/** What carrying out authentication types takes. */
export interface AuthenticatorDeps {
  readonly outgoing: Outgoing
  readonly verifier: TokenVerifier
  readonly clock: Clock
  readonly settings: AuthenticationSettings
}

/** Every authentication type there is. */
const flows: ReadonlyMap<string, Flow> = new Map(
  Object.entries({
    NoAuthentication: async () => undefined,
    BasicAuthentication: basic,
    ClientCertificateAuthentication: clientCertificate,
    PrincipalPropagation: principalPropagation,
    OAuth2ClientCredentials: clientCredentials,
    OAuth2UserTokenExchange: userTokenExchange,
    OAuth2JWTBearer: jwtBearer,
    OAuth2SAMLBearerAssertion: samlBearerAssertion,
    SAMLAssertion: samlAssertion,
    OAuth2Password: password,
    OAuth2RefreshToken: refreshToken,
    OAuth2AuthorizationCode: authorizationCode,
    OAuth2TechnicalUserPropagation: technicalUserPropagation,
    OAuth2TokenExchange: tokenExchange,
    SAPAssertionSSO: sapAssertionSso,
  }),
)

/** Puts the authentication types together. */
export function createAuthenticator({ outgoing, verifier, clock, settings }: AuthenticatorDeps): Authenticator {
  const closing = new AbortController()
  const readKeystore = createKeystoreReader()
  const limit = createCallLimit({ total: maxTokenCalls, perSubaccount: maxTokenCallsPerSubaccount }, 'Too many token calls are under way')
  const keySets = createKeySets({ outgoing, readKeystore, clock, limit, closing: closing.signal })
  const users = createUserTokens({ verifier, foreign: createForeignTokens({ keySets, clock }) })
  const tokens = createTokenCalls({
    outgoing,
    cache: createTokenCache({ clock, limit }),
    users,
    readKeystore,
    assertions: async (provider) => (await clientCredentialsToken(provider, { tokens }, { alwaysInternet: false })).value,
    clock,
    settings,
    closing: closing.signal,
  })
  const userInfo = createUserInfo({ outgoing, limit, closing: closing.signal })
  const tools: FlowTools = { tokens, users, userInfo, readKeystore, clock, settings }

  return {
    async authenticate(request) {
      const { configuration } = request
      // Clients of the other types log on with the properties themselves.
      if (configuration.Type !== 'HTTP' && configuration.Type !== 'MAIL') return {}
      try {
        const certificates = await returnedCertificates(request)
        const authToken = request.skipTokenRetrieval ? undefined : await entryFor(request, tools)
        return outcome(authToken, certificates)
      } catch (error) {
        return outcome(failedEntry(explain(error, request)), [])
      }
    },
    close: () => closing.abort(new ConnectivityError('SERVICE_UNAVAILABLE', 'The service is shutting down')),
  }
}

async function entryFor(request: AuthenticationRequest, tools: FlowTools): Promise<AuthToken | undefined> {
  try {
    return await (flows.get(typeOf(request)) ?? unknownType)(request, tools)
  } catch (error) {
    return failedEntry(explain(error, request))
  }
}

const unknownType: Flow = () => Promise.reject(new ConnectivityError('DESTINATION_INVALID', 'Unsupported authentication type'))

function typeOf({ configuration }: AuthenticationRequest): string {
  return configuration['Authentication'] || 'NoAuthentication'
}

/** The text for the caller. What is wrong with the request itself, or with us, is not the destination's failure and goes on. */
function explain(error: unknown, request: AuthenticationRequest): string {
  if (!ConnectivityError.is(error) || error.code === 'MESSAGE_INVALID' || error.code === 'STORE_FAILED' || error.details['store'] === true)
    throw error
  const { configuration, level, log } = request
  log.warn({ destination: configuration.Name, subaccount: level.subaccountId, code: error.code }, 'token retrieval failed')
  return typeOf(request).startsWith('OAuth2') && flows.has(typeOf(request)) ? retrievalFailed + error.message : error.message
}

const retrievalFailed = 'Retrieval of OAuthToken failed due to: '

function outcome(
  authToken: AuthToken | undefined,
  certificates: NonNullable<AuthenticationOutcome['certificates']>,
): AuthenticationOutcome {
  return { ...(authToken === undefined ? {} : { authTokens: [authToken] }), ...(certificates.length === 0 ? {} : { certificates }) }
}
