import type { IdentityTrust } from '@sallyport/destination-service'
import type { Clock, Logger } from '@sallyport/core'
import { createRemoteKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import type { Configuration } from '../configuration/configuration.ts'
import { subaccountsOf } from './cloud-settings.ts'
import type { ServiceInstance } from './instances.ts'
import { keyRefresh, serviceTokenBounds } from './token-verification.ts'

/** Trust in the identity services of the configuration; `undefined` when there are none. The caller disposes. */
export function openIdentityTrust(deps: {
  readonly configuration: Configuration
  readonly instance: ServiceInstance
  readonly fetchKeys: Parameters<typeof createRemoteKeySource>[0]['fetchKeys']
  readonly clock: Clock
  readonly log: Logger
}): (IdentityTrust & Disposable) | undefined {
  const { configuration, instance, fetchKeys, clock, log } = deps
  const { identityServices } = configuration
  if (identityServices.length === 0) return undefined
  const subaccounts = subaccountsOf(configuration).map(({ id }) => id)
  const owner = { instanceId: instance.instanceId, subaccountId: subaccounts[0] ?? '' }
  const keys = createRemoteKeySource({
    issuers: identityServices.map(({ issuer, keysUrl }) => ({ issuer, url: new URL(keysUrl) })),
    fetchKeys,
    clock,
    ...keyRefresh,
    log,
  })
  return {
    issuers: new Set(identityServices.map(({ issuer }) => issuer)),
    verifier: createTokenVerifier({ keys, clock, ...serviceTokenBounds }),
    relations: {
      find: ({ issuer, clientId, tenantId }) => {
        const service = identityServices.find((known) => known.issuer === issuer)
        const application = service?.applications.find((known) => known.clientId === clientId)
        const consumes = application?.consumedServices.includes(instance.name) === true
        const trusted = service?.subaccounts?.includes(tenantId) ?? subaccounts.includes(tenantId)
        return Promise.resolve(
          consumes && trusted && subaccounts.includes(tenantId) ? { instance: owner, subaccountId: tenantId } : undefined,
        )
      },
    },
    [Symbol.dispose]: () => keys[Symbol.dispose](),
  }
}
