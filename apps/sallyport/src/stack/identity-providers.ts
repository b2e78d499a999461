import type { Clock, Logger } from '@sallyport/core'
import type { TokenServiceOptions } from '@sallyport/token-service'
import { createRemoteKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import type { Configuration } from '../configuration/configuration.ts'
import { subaccountsOf } from './cloud-settings.ts'
import { isTrustedBy } from './identity-services.ts'
import { assertionBounds, keyRefresh } from './token-verification.ts'

/** The corporate identity providers whose tokens the token service takes as assertions; `undefined` when there are none. The caller disposes. */
export function openIdentityProviders(deps: {
  readonly configuration: Configuration
  readonly fetchKeys: Parameters<typeof createRemoteKeySource>[0]['fetchKeys']
  readonly clock: Clock
  readonly log: Logger
}): (Disposable & { readonly trust: NonNullable<TokenServiceOptions['trust']> }) | undefined {
  const { configuration, fetchKeys, clock, log } = deps
  const { identityProviders } = configuration
  if (identityProviders.length === 0) return undefined
  const keys = createRemoteKeySource({
    issuers: identityProviders.map(({ issuer, keysUrl }) => ({ issuer, url: new URL(keysUrl) })),
    fetchKeys,
    clock,
    ...keyRefresh,
    log,
  })
  const subaccounts = subaccountsOf(configuration).map(({ id }) => id)
  const issuers = identityProviders.flatMap((provider) =>
    subaccounts
      .filter((id) => isTrustedBy(configuration, provider, id))
      .map((tenantId) => {
        const { attributeClaims, audiences, embedToken, groupsClaim, issuer, nameClaim, origin } = provider
        return {
          issuer,
          tenantId,
          origin,
          audiences,
          nameClaim,
          attributeClaims,
          embedsToken: embedToken,
          ...(groupsClaim === undefined ? {} : { groupsClaim }),
        }
      }),
  )
  return {
    trust: { tokens: createTokenVerifier({ keys, clock, ...assertionBounds }), issuers },
    [Symbol.dispose]: () => keys[Symbol.dispose](),
  }
}
