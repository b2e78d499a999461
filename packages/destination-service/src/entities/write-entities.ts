import { checkDestination } from '@sallyport/admin-api'
import { type Answer, malformed, notFound, refuse } from '../http/answer.ts'
import { recordChanges, requireAudit } from './change-record.ts'
import type { CreateOutcome, EntityWrite, Level, ReplaceOutcome } from './entity-repository.ts'
import { etagOf } from './etag.ts'
import { maxBulkItems } from '../limits.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'

/** `POST …/{subaccount,instance}Destinations`: one destination, or an array of which each is created by itself. */
export function createDestinations(request: ServiceRequest, context: ServiceContext, level: Level): Promise<Answer> {
  return write(request, context, level, {
    verb: 'created',
    success: 201,
    singleAnswer: { status: 201 },
    store: (writes) =>
      context.repository.create('destination', level, writes, {
        nowMs: context.clock.now(),
        maxPerSubaccount: context.maxDestinationsPerSubaccount,
      }),
  })
}

/** `PUT …/{subaccount,instance}Destinations`: replaces one destination wholly, or an array of which each is replaced by itself. */
export function replaceDestinations(request: ServiceRequest, context: ServiceContext, level: Level): Promise<Answer> {
  return write(request, context, level, {
    verb: 'replaced',
    success: 200,
    singleAnswer: { status: 200, body: { Count: 1 } },
    store: (writes) => context.repository.replace('destination', level, writes, { nowMs: context.clock.now() }),
  })
}

interface Operation {
  readonly verb: 'created' | 'replaced'
  readonly success: 200 | 201
  readonly singleAnswer: Answer
  readonly store: (writes: readonly EntityWrite[]) => Promise<readonly (CreateOutcome | ReplaceOutcome)[]>
}

/** One destination of a request, and either what to store or why not. */
type Item = { readonly name: string; readonly write: EntityWrite } | { readonly name: string; readonly problem: string }

async function write(request: ServiceRequest, context: ServiceContext, level: Level, operation: Operation): Promise<Answer> {
  requireAudit(context)
  const { body, caller } = request
  const isBulk = Array.isArray(body)
  if (isBulk && body.length > maxBulkItems) throw malformed(`One request can write ${maxBulkItems} destinations at most`)
  const items = (isBulk ? (body as unknown[]) : [body]).map((value): Item => {
    const verdict = checkDestination(value, context)
    if (!verdict.valid) return verdict
    // Only a subscriber has somebody to share with.
    const sharedWithSubscriber = verdict.input.sharedWithSubscriber && !caller.isProvider && level.instanceId !== null
    const { properties } = verdict.input
    return { name: properties.Name, write: { name: properties.Name, properties, sharedWithSubscriber } }
  })
  const writes = items.flatMap((item) => ('write' in item ? [item.write] : []))
  const outcomes = await operation.store(writes)
  const changed = writes.filter((_, index) => outcomes[index] === operation.verb).map((stored) => stored.name)
  await recordChanges(request, context, { level, verb: operation.verb, names: changed })
  let stored = 0
  const results = items.map((item) => ({ item, refusal: 'write' in item ? refusalOf(outcomes[stored++], context) : invalid(item.problem) }))
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

/** Why an item was not stored, as the answer of a single write and as the `cause` in a bulk result. */
interface Refusal {
  readonly single: Answer
  readonly cause: string
}

function invalid(problem: string): Refusal {
  return { single: refuse(400, problem), cause: problem }
}

function refusalOf(outcome: CreateOutcome | ReplaceOutcome | undefined, context: ServiceContext): Refusal | undefined {
  switch (outcome) {
    case 'exists':
      return { single: refuse(409, 'Configuration with the specified name already exists'), cause: 'Configuration already exists' }
    case 'full':
      return invalid(`The subaccount already has ${context.maxDestinationsPerSubaccount} destinations, the most it can have`)
    case 'unknown':
      return { single: notFound, cause: 'Could not find configuration' }
    default:
      return undefined
  }
}
