import type { ExistingPolicy, InitialConfigurations, InstanceParameters } from '@sallyport/admin-api'
import { certificateCollection } from '../certificates/certificate-collection.ts'
import { destinationCollection } from '../destinations/destination-collection.ts'
import type { EntityKind, EntityWrite, Level } from '../entities/entity-repository.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'

/** Entities of one kind for one level. */
export interface InitialEntities {
  readonly kind: EntityKind
  readonly level: Level
  readonly policy: ExistingPolicy
  readonly writes: readonly EntityWrite[]
}

/** What `init_data` wants stored, the instance's own first; or the first thing that is wrong with it. `request` comes from the instance's own side. */
export async function readInitialEntities(
  { instance: own, subaccount }: NonNullable<InstanceParameters['init_data']>,
  request: ServiceRequest,
  context: ServiceContext,
): Promise<{ readonly groups: readonly InitialEntities[] } | { readonly problem: string }> {
  const { instanceId, subaccountId } = request.caller.instance
  const groups: InitialEntities[] = []
  for (const [configurations, level] of [
    [own, { subaccountId, instanceId }],
    [subaccount, { subaccountId, instanceId: null }],
  ] as const) {
    for (const kind of ['destination', 'certificate'] as const) {
      const read = await readEntities(configurations, { kind, level, request }, context)
      if ('problem' in read) return read
      if (read.writes.length > 0) groups.push({ kind, level, ...read })
    }
  }
  return { groups }
}

const collections = { destination: destinationCollection, certificate: certificateCollection }

async function readEntities(
  configurations: InitialConfigurations | undefined,
  target: { readonly kind: keyof typeof collections; readonly level: Level; readonly request: ServiceRequest },
  context: ServiceContext,
): Promise<Pick<InitialEntities, 'policy' | 'writes'> | { readonly problem: string }> {
  if (configurations === undefined) return { policy: 'fail', writes: [] }
  const { kind } = target
  const writes = new Map<string, EntityWrite>()
  for (const value of configurations[`${kind}s`]) {
    const verdict = await collections[kind].check(value, { ...target, verb: 'created' }, context)
    if (!verdict.valid) return { problem: `the ${kind} '${verdict.name}' is not valid: ${verdict.problem}` }
    const { write } = verdict
    if (writes.has(write.name)) return { problem: `the ${kind} '${write.name}' is given twice` }
    // The provider has nobody to share with.
    writes.set(write.name, { ...write, sharedWithSubscriber: false })
  }
  return { policy: configurations[`existing_${kind}s_policy`], writes: [...writes.values()] }
}
