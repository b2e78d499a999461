import type { Clock } from '@sallyport/core'
import { identityRelationAgeMs, maxIdentityRelations } from '../limits.ts'
import type { DestinationInstance } from './destination-instances.ts'

/** An application of SAP Cloud Identity Services, as its token names it. */
export interface IdentityClient {
  readonly issuer: string
  readonly clientId: string
  /** Claim `app_tid`: the tenant in whose context the application acts. */
  readonly tenantId: string
}

/** Which destination service instance an application consumes, and in whose context. */
export interface IdentityRelation {
  readonly instance: DestinationInstance
  /** The subaccount of the tenant, which trusts the issuer. */
  readonly subaccountId: string
}

/** Knows which instances the applications of identity services consume. */
export interface IdentityRelations {
  /** `undefined` when the application consumes none, or the tenant's subaccount does not trust the issuer. */
  find(client: IdentityClient): Promise<IdentityRelation | undefined>
}

/** Relations that are remembered until somebody says that they have changed. */
export interface CachedIdentityRelations extends IdentityRelations {
  /** Forgets those of one subaccount. */
  forget(subaccountId: string): void
}

/** Remembers what `relations` finds; that an application consumes nothing is asked again every time. The oldest ones give way. */
export function cacheIdentityRelations(relations: IdentityRelations, { clock }: { readonly clock: Clock }): CachedIdentityRelations {
  const known = new Map<string, { readonly relation: IdentityRelation; readonly sinceMs: number }>()
  let forgotten = 0
  return {
    async find(client) {
      const key = JSON.stringify([client.issuer, client.clientId, client.tenantId])
      const entry = known.get(key)
      if (entry !== undefined && clock.now() - entry.sinceMs < identityRelationAgeMs) return entry.relation
      const asked = forgotten
      const relation = await relations.find(client)
      // An answer that was on its way while the cache was cleared may be the old one.
      if (relation === undefined || asked !== forgotten) return relation
      known.delete(key)
      known.set(key, { relation, sinceMs: clock.now() })
      const [oldest] = known.keys()
      if (known.size > maxIdentityRelations && oldest !== undefined) known.delete(oldest)
      return relation
    },
    forget(subaccountId) {
      forgotten += 1
      for (const [key, { relation }] of known) {
        if (relation.subaccountId === subaccountId || relation.instance.subaccountId === subaccountId) known.delete(key)
      }
    },
  }
}
