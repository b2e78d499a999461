import type { AuthToken } from '@sallyport/admin-api'
import type { Clock } from '@sallyport/core'
import type { AuthenticationRequest } from './authentication-request.ts'
import type { KeystoreReader } from './keystore-reader.ts'
import type { TokenCalls } from './token-calls.ts'
import type { UserInfo } from './user-info.ts'
import type { UserTokens } from './user-token.ts'

/**
 * One authentication type: makes the entry of a destination's `authTokens`, or none.
 *
 * @throws ConnectivityError when it cannot; callers see the message in an entry with `error`. `MESSAGE_INVALID` instead means that the request itself
 * makes no sense and becomes a refusal.
 */
export type Flow = (request: AuthenticationRequest, tools: FlowTools) => Promise<AuthToken | undefined>

/** What the authentication types share. */
export interface FlowTools {
  readonly tokens: TokenCalls
  readonly users: UserTokens
  readonly userInfo: UserInfo
  readonly readKeystore: KeystoreReader
  readonly clock: Clock
  readonly settings: AuthenticationSettings
}

/** What an operator decides about authentication types. */
export interface AuthenticationSettings {
  /** Names this installation in assertions: their issuer is `cfapps.<landscape>/<subaccount>` where no trust key says otherwise. */
  readonly landscape: string
  /** How `OAuth2UserTokenExchange` gets its token; the two steps of XSUAA unless told. */
  readonly userTokenExchange: 'two-step' | 'jwt-bearer'
  /** Whose tenant a `Common` token service is asked for when neither header nor user token tells: `header` insists on them, `caller` takes the caller's. */
  readonly tenantOfTechnicalTokens: 'header' | 'caller'
}
