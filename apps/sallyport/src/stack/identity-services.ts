import type { IdentityTrust } from '@sallyport/destination-service'
import type { Clock, Logger } from '@sallyport/core'
import { createRemoteKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import type { Configuration } from '../configuration/configuration.ts'
import { subaccountsOf } from './cloud-settings.ts'
import type { ServiceInstance } from './instances.ts'
import { keyRefresh, serviceTokenBounds } from './token-verification.ts'

/** Whether an application of an identity service may use an instance for a subaccount: it consumes the instance, and the subaccount trusts the service. */
export function admitsApplication(
  configuration: Configuration,
  instance: Pick<ServiceInstance, 'name'>,
  { clientId, issuer, tenantId }: { readonly clientId: string; readonly issuer: string; readonly tenantId: string },
): boolean {
  const service = configuration.identityServices.find((known) => known.issuer === issuer)
  const application = service?.applications.find((known) => known.clientId === clientId)
  return (
    application?.consumedServices.includes(instance.name) === true && service !== undefined && isTrustedBy(configuration, service, tenantId)
  )
}

/** Whether a subaccount of this installation trusts an issuer of the configuration. */
export function isTrustedBy(
  configuration: Configuration,
  { subaccounts }: { readonly subaccounts?: readonly string[] | undefined },
  subaccount: string,
): boolean {
  return subaccounts?.includes(subaccount) !== false && subaccountsOf(configuration).some(({ id }) => id === subaccount)
}

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
  const owner = { instanceId: instance.instanceId, subaccountId: subaccountsOf(configuration)[0]?.id ?? '' }
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
      find: (application) =>
        Promise.resolve(
          admitsApplication(configuration, instance, application) ? { instance: owner, subaccountId: application.tenantId } : undefined,
        ),
    },
    [Symbol.dispose]: () => keys[Symbol.dispose](),
  }
}
