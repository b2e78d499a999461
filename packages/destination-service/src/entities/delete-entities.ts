import { type Answer, malformed, refuse } from '../http/answer.ts'
import { single } from '../http/query.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import { recordChanges, requireAudit } from './change-record.ts'
import type { Collection } from './collection.ts'
import { parseDeletionFilter } from './entity-filter.ts'
import type { Level } from './entity-repository.ts'

interface Target {
  readonly collection: Collection
  readonly level: Level
}

/** `DELETE` of one by its name. */
export async function deleteEntity(request: ServiceRequest, context: ServiceContext, target: Target, name: string): Promise<Answer> {
  const { collection, level } = target
  requireAudit(context)
  const refusal = await collection.refuseRemoval?.([name], level, context)
  if (refusal !== undefined) return refuse(400, refusal.single)
  const removed = await context.repository.remove(collection.kind, level, [name])
  await recordChanges(request, context, { kind: collection.kind, level, verb: 'deleted', names: removed })
  if (removed.length === 0 && collection.absentDeletion === 'refused') return collection.absent(name)
  return { status: 200, body: { Count: removed.length } }
}

/** `DELETE` of a collection with `$filter=Name in (…)`; names that do not exist are reported, not an error. */
export async function deleteEntities(request: ServiceRequest, context: ServiceContext, target: Target): Promise<Answer> {
  const { collection, level } = target
  if (!collection.bulk) throw malformed(`One request can delete one ${collection.kind}, by its name in the path`)
  const names = parseDeletionFilter(single(request.query, '$filter'))
  requireAudit(context)
  const refusal = await collection.refuseRemoval?.(names, level, context)
  if (refusal !== undefined) return refuse(400, refusal.bulk)
  const removed = new Set(await context.repository.remove(collection.kind, level, names))
  await recordChanges(request, context, { kind: collection.kind, level, verb: 'deleted', names: [...removed] })
  const summary = names.map((name) =>
    removed.has(name) ? { name, status: 'DELETED' } : { name, status: 'NOT_FOUND', reason: 'Could not find configuration' },
  )
  return { status: 200, body: { Count: removed.size, Summary: summary } }
}
