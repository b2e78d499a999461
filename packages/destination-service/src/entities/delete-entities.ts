import { type Answer, notFound, refuse } from '../http/answer.ts'
import { recordChanges, requireAudit } from './change-record.ts'
import type { Level } from './entity-repository.ts'
import { listChunkSize } from '../limits.ts'
import { parseDeletionFilter } from './name-filter.ts'
import { single } from '../http/query.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'

/** `DELETE …/{subaccount,instance}Destinations/{name}` */
export async function deleteDestination(request: ServiceRequest, context: ServiceContext, level: Level, name: string): Promise<Answer> {
  requireAudit(context)
  const uses = await usesAsAssertionProvider(context, level, [name])
  if (uses[0] !== undefined) {
    return refuse(
      400,
      `Cannot perform operation on the destination '${name}' because it is used as an assertion provider for destination '${uses[0].user}'`,
    )
  }
  const removed = await context.repository.remove('destination', level, [name])
  await recordChanges(request, context, { level, verb: 'deleted', names: removed })
  return removed.length === 0 ? notFound : { status: 200, body: { Count: removed.length } }
}

/** `DELETE …/{subaccount,instance}Destinations?$filter=Name in (…)`; names that do not exist are reported, not an error. */
export async function deleteDestinations(request: ServiceRequest, context: ServiceContext, level: Level): Promise<Answer> {
  const names = parseDeletionFilter(single(request.query, '$filter'))
  requireAudit(context)
  const uses = await usesAsAssertionProvider(context, level, names)
  if (uses.length > 0) {
    const blocked = [...new Set(uses.map((use) => use.provider))]
    return refuse(400, `Unable to remove Configurations "[${blocked.join(', ')}]".`)
  }
  const removed = new Set(await context.repository.remove('destination', level, names))
  await recordChanges(request, context, { level, verb: 'deleted', names: [...removed] })
  const summary = names.map((name) =>
    removed.has(name) ? { name, status: 'DELETED' } : { name, status: 'NOT_FOUND', reason: 'Could not find configuration' },
  )
  return { status: 200, body: { Count: removed.size, Summary: summary } }
}

interface ProviderUse {
  readonly provider: string
  readonly user: string
}

/** Which destinations that stay would lose the provider of their client assertions. Properties are sealed, so every destination of the level is opened. */
async function usesAsAssertionProvider({ repository }: ServiceContext, level: Level, names: readonly string[]): Promise<ProviderUse[]> {
  const entries = await repository.index('destination', level)
  const leaving = new Set(names)
  if (!entries.some((entry) => leaving.has(entry.name))) return []
  const staying = entries.map((entry) => entry.name).filter((name) => !leaving.has(name))
  const uses: ProviderUse[] = []
  for (let from = 0; from < staying.length; from += listChunkSize) {
    for (const { name, properties } of await repository.read('destination', level, staying.slice(from, from + listChunkSize))) {
      const provider = properties['clientAssertion.destinationName']
      if (provider !== undefined && leaving.has(provider)) uses.push({ provider, user: name })
    }
  }
  return uses
}
