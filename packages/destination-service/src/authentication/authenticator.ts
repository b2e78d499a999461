import type { Authenticator } from './authentication-request.ts'
import { createTokenSource, type TokenSourceDeps } from './auth-tokens.ts'

/** What carrying out authentication types takes. */
export type AuthenticatorDeps = TokenSourceDeps

/** Puts the authentication types together. */
export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const tokens = createTokenSource(deps)
  return {
    async authenticate({ configuration, skipTokenRetrieval, ...request }) {
      if (skipTokenRetrieval) return {}
      const authTokens = await tokens.tokensFor({ properties: configuration, ...request })
      return authTokens.length === 0 ? {} : { authTokens }
    },
    close: () => tokens.close(),
  }
}
