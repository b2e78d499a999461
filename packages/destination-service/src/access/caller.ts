import type { Level } from '../entities/entity-repository.ts'
import type { DestinationInstance } from './destination-instances.ts'

/** Who calls, derived from the token alone. */
export interface Caller {
  /** The subaccount in whose context the call is made. */
  readonly subaccountId: string
  readonly instance: DestinationInstance
  /** Whether that is the subaccount of the instance; otherwise it has subscribed to the provider's application. */
  readonly isProvider: boolean
  /** The person, or the client when there is none; for the audit. */
  readonly user: string
  /** Who has issued the token: our token service, or an identity service, which not every resource takes. */
  readonly tokenKind: 'XSUAA' | 'IAS'
}

/** The words by which a level is addressed. */
export const levelNames = ['subaccount', 'instance', 'provider_subaccount', 'provider_instance'] as const
export type LevelName = (typeof levelNames)[number]

/** The level that a word means for this caller. For a provider the two `provider_` words say nothing new. */
export function levelOf(caller: Caller, name: LevelName): Level {
  const subaccountId = name.startsWith('provider_') ? caller.instance.subaccountId : caller.subaccountId
  return { subaccountId, instanceId: name.endsWith('instance') ? caller.instance.instanceId : null }
}
