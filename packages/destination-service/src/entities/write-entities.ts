import { type Answer, malformed, refuse } from '../http/answer.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import { maxBulkItems } from '../limits.ts'
import { recordChanges, requireAudit } from './change-record.ts'
import type { Collection, WriteTarget } from './collection.ts'
import type { CreateOutcome, EntityWrite, Level, ReplaceOutcome } from './entity-repository.ts'
import { etagOf } from './etag.ts'

interface Target {
  readonly collection: Collection
  readonly level: Level
}

/** `POST` to a collection: one entity, or an array of which each is created by itself. */
export function createEntities(request: ServiceRequest, context: ServiceContext, target: Target): Promise<Answer> {
  const { collection, level } = target
  return write(request, context, target, {
    verb: 'created',
    success: 201,
    singleAnswer: { status: 201 },
    store: (writes) =>
      context.repository.create(collection.kind, level, writes, {
        nowMs: context.clock.now(),
        maxPerSubaccount: context.maxPerSubaccount,
      }),
  })
}

/** `PUT` to a collection: replaces one entity wholly, or an array of which each is replaced by itself. */
export function replaceEntities(request: ServiceRequest, context: ServiceContext, target: Target): Promise<Answer> {
  const { collection, level } = target
  return write(request, context, target, {
    verb: 'replaced',
    success: 200,
    singleAnswer: { status: 200, body: { Count: 1 } },
    store: (writes) => context.repository.replace(collection.kind, level, writes, { nowMs: context.clock.now() }),
  })
}

interface Operation {
  readonly verb: WriteTarget['verb']
  readonly success: 200 | 201
  readonly singleAnswer: Answer
  readonly store: (writes: readonly EntityWrite[]) => Promise<readonly (CreateOutcome | ReplaceOutcome)[]>
}

/** One entity of a request, and either what to store or why not. */
type Item = { readonly name: string; readonly write: EntityWrite } | { readonly name: string; readonly problem: string }

async function write(
  request: ServiceRequest,
  context: ServiceContext,
  { collection, level }: Target,
  operation: Operation,
): Promise<Answer> {
  requireAudit(context)
  const { body } = request
  const isBulk = Array.isArray(body)
  if (isBulk && !collection.bulk) throw malformed(`One request can write one ${collection.kind}, as a JSON object`)
  if (isBulk && body.length > maxBulkItems) throw malformed(`One request can write ${maxBulkItems} at most`)
  const items: Item[] = []
  for (const value of isBulk ? (body as unknown[]) : [body]) {
    items.push(await readItem(value, { request, level, verb: operation.verb }, context, collection))
  }
  const writes = items.flatMap((item) => ('write' in item ? [item.write] : []))
  const outcomes = await operation.store(writes)
  const changed = writes.filter((_, index) => outcomes[index] === operation.verb).map((stored) => stored.name)
  await recordChanges(request, context, { kind: collection.kind, level, verb: operation.verb, names: changed })
  let stored = 0
  const results = items.map((item) => ({
    item,
    refusal: 'write' in item ? refusalOf(outcomes[stored++], item.name, collection, context) : invalid(item.problem),
  }))
  if (!isBulk) return results[0]?.refusal?.single ?? operation.singleAnswer
  return {
    status: results.every(({ refusal }) => refusal === undefined) ? operation.success : 207,
    body: results.map(({ item, refusal }) =>
      refusal !== undefined || !('write' in item)
        ? { name: item.name, status: refusal?.single.status, cause: refusal?.cause }
        : { name: item.name, status: operation.success, etag: etagOf(item.write.properties) },
    ),
  }
}

async function readItem(value: unknown, target: WriteTarget, context: ServiceContext, collection: Collection): Promise<Item> {
  const verdict = await collection.check(value, target, context)
  if (!verdict.valid) return verdict
  // Only a subscriber has somebody to share with.
  const isSubscription = !target.request.caller.isProvider && target.level.instanceId !== null
  const { name, sharedWithSubscriber } = verdict.write
  return { name, write: { ...verdict.write, sharedWithSubscriber: sharedWithSubscriber && isSubscription } }
}

/** Why an item was not stored, as the answer of a single write and as the `cause` in a bulk result. */
interface Refusal {
  readonly single: Answer
  readonly cause: string
}

function invalid(problem: string): Refusal {
  return { single: refuse(400, problem), cause: problem }
}

function refusalOf(
  outcome: CreateOutcome | ReplaceOutcome | undefined,
  name: string,
  collection: Collection,
  { maxPerSubaccount }: ServiceContext,
): Refusal | undefined {
  switch (outcome) {
    case 'exists':
      return { single: refuse(409, 'Configuration with the specified name already exists'), cause: 'Configuration already exists' }
    case 'full':
      return invalid(`The subaccount already has ${maxPerSubaccount} ${collection.kind}s, the most it can have`)
    case 'unknown':
      return { single: collection.absent(name), cause: 'Could not find configuration' }
    default:
      return undefined
  }
}
