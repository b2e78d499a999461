import {
  type AdministeredArea,
  type AdministrationAction,
  type AreaAccess,
  type LevelAccess,
  permits,
  rolesNeeded,
} from '@sallyport/admin-api'
import type { DestinationInstance } from '../access/destination-instances.ts'
import type { Level } from '../entities/entity-repository.ts'
import { type Answer, refuse } from '../http/answer.ts'
import type { ScopeAccess } from '../instance-parameters/instance-settings.ts'
import type { AdministrationContext, KnownInstance } from './administration-context.ts'
import type { Administrator } from './administrator.ts'

/** A level as somebody may work on it. */
export interface AdministeredLevel {
  readonly level: Level
  /** Absent on the subaccount's own level. */
  readonly instance?: DestinationInstance
}

/** What somebody wants to do. `instanceId` absent: on the subaccount's own level. */
interface Wanted {
  readonly instanceId: string | undefined
  readonly area: AdministeredArea
  readonly action: AdministrationAction
}

/** The level that somebody means, if he may do there what he wants to; otherwise the refusal, which names what is lacking. */
export async function administeredLevel(
  administrator: Administrator,
  wanted: Wanted,
  context: Pick<AdministrationContext, 'administration'>,
): Promise<AdministeredLevel | { readonly answer: Answer }> {
  const { instanceId, area, action } = wanted
  const { subaccountId } = administrator
  if (administrator.kind === 'client') {
    const { instance } = administrator
    if (instanceId === undefined) return { level: { subaccountId, instanceId: null } }
    return instanceId === instance.instanceId ? { level: { subaccountId, instanceId }, instance } : { answer: noSuchInstance }
  }
  if (instanceId === undefined) {
    const asked = { area, action, level: 'subaccount' } as const
    return permits(administrator.roles, asked) ? { level: { subaccountId, instanceId: null } } : { answer: lacksRole(asked) }
  }
  const known = (await context.administration.directory.list(subaccountId)).find((entry) => entry.instance.instanceId === instanceId)
  if (known === undefined) return { answer: noSuchInstance }
  const { instance } = known
  if (instance.subaccountId === subaccountId) {
    const asked = { area, action, level: 'instance' } as const
    return permits(administrator.roles, asked) ? { level: { subaccountId, instanceId }, instance } : { answer: lacksRole(asked) }
  }
  const access = await subscriberAccess(administrator, instance, context)
  // Of the application's entities a consumer sees what it shares, and nothing else.
  return access[area] === 'manage' || access[area] === action
    ? { level: { subaccountId, instanceId, sharedOnly: true }, instance }
    : { answer: refuse(403, `The application lets only users with certain scopes ${action === 'view' ? 'see' : 'change'} its ${area}`) }
}

/** What somebody may do on the subaccount's own level, or on that of an instance that the subaccount knows. */
export async function accessTo(
  administrator: Administrator,
  known: KnownInstance | undefined,
  context: Pick<AdministrationContext, 'administration'>,
): Promise<LevelAccess> {
  if (administrator.kind === 'client') {
    const trust = known === undefined ? 'manage' : 'none'
    return { destinations: 'manage', certificates: 'manage', trust }
  }
  if (known !== undefined && known.instance.subaccountId !== administrator.subaccountId) {
    return subscriberAccess(administrator, known.instance, context)
  }
  const level = known === undefined ? 'subaccount' : 'instance'
  const access = (area: AdministeredArea): AreaAccess =>
    (['manage', 'view'] as const).find((action) => permits(administrator.roles, { area, action, level })) ?? 'none'
  return { destinations: access('destinations'), certificates: access('certificates'), trust: access('trust') }
}

async function subscriberAccess(
  { scopes }: Extract<Administrator, { kind: 'person' }>,
  { instanceId }: DestinationInstance,
  { administration }: Pick<AdministrationContext, 'administration'>,
): Promise<LevelAccess> {
  const settings = await administration.settings.find(instanceId)
  const access = ({ read, write }: ScopeAccess): AreaAccess => (hasAll(scopes, write) ? 'manage' : hasAll(scopes, read) ? 'view' : 'none')
  return {
    destinations: access(settings.subscriberAccess.destinations),
    certificates: access(settings.subscriberAccess.certificates),
    trust: 'none',
  }
}

/** An empty list lets nobody in. */
function hasAll(scopes: readonly string[], needed: readonly string[]): boolean {
  return needed.length > 0 && needed.every((scope) => scopes.includes(scope))
}

function lacksRole(wanted: Parameters<typeof rolesNeeded>[0]): Answer {
  if (wanted.area === 'trust' && wanted.level === 'instance') return refuse(404, 'Trust belongs to subaccounts; instances have none')
  const lists = rolesNeeded(wanted).map((roles) => `one of the roles ${roles.join(', ')}`)
  return refuse(403, `You may not ${wanted.action} the ${wanted.area} of the ${wanted.level}: that needs ${lists.join(', and ')}`)
}

/** The same for instances of others: who has which is nobody's business. */
const noSuchInstance: Answer = refuse(404, 'There is no such instance in the subaccount')
