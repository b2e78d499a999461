import { type EntityDraft, entityDraftSchema, isSecretProperty } from '@sallyport/admin-api'
import { recordChanges, requireAudit } from '../entities/change-record.ts'
import type { Collection, EntityVerdict, WriteTarget } from '../entities/collection.ts'
import type { StoredEntity } from '../entities/entity-repository.ts'
import { answerByCondition } from '../entities/etag.ts'
import { type Answer, malformed, refuse } from '../http/answer.ts'
import { listChunkSize } from '../limits.ts'
import type { AdministrationContext } from './administration-context.ts'
import type { LevelRequest } from './administration-route.ts'
import { readBody } from './read-body.ts'
import { shownEntity, versionOf } from './shown-entity.ts'

/** All entities of a level, secrets hidden. */
export async function listEntities({ level }: LevelRequest, { repository }: AdministrationContext, { kind }: Collection): Promise<Answer> {
  const names = (await repository.index(kind, level)).map((entry) => entry.name)
  async function* write(): AsyncGenerator<string> {
    let opening = '['
    for (let from = 0; from < names.length; from += listChunkSize) {
      const chunk = names.slice(from, from + listChunkSize)
      const found = new Map((await repository.read(kind, level, chunk)).map((entity) => [entity.name, entity]))
      for (const name of chunk) {
        const entity = found.get(name)
        // Deleted since the index was read.
        if (entity === undefined) continue
        yield opening + JSON.stringify(shownEntity(entity))
        opening = ','
      }
    }
    yield opening === '[' ? '[]' : ']'
  }
  return { status: 200, stream: write() }
}

/** One entity, secrets hidden. */
export async function getEntity(
  { level }: LevelRequest,
  { repository }: AdministrationContext,
  collection: Collection,
  name: string,
): Promise<Answer> {
  const stored = await repository.find(collection.kind, level, name)
  return stored === undefined ? collection.absent(name) : { status: 200, body: shownEntity(stored) }
}

/** Creates an entity; a duplicate takes the secrets of its original along. */
export async function createEntity(request: LevelRequest, context: AdministrationContext, collection: Collection): Promise<Answer> {
  requireAudit(context)
  const { level } = request
  const { kind } = collection
  const draft = readBody(request.body, entityDraftSchema)
  const source = draft.secretsFrom === undefined ? undefined : await context.repository.find(kind, level, draft.secretsFrom)
  if (draft.secretsFrom !== undefined && source === undefined) return collection.absent(draft.secretsFrom)
  const verdict = await checkDraft(draft, source, { request, level, verb: 'created' }, context, collection)
  if (!verdict.valid) return refuse(400, verdict.problem)
  const write = { ...verdict.write, sharedWithSubscriber: isShared(request, draft.sharedWithSubscriber ?? false) }
  const options = { nowMs: context.clock.now(), maxPerSubaccount: context.maxPerSubaccount }
  const [outcome] = await context.repository.create(kind, level, [write], options)
  if (outcome === 'exists') return refuse(409, 'Configuration with the specified name already exists')
  if (outcome === 'full') return refuse(400, `The subaccount already has ${context.maxPerSubaccount} ${kind}s, the most it can have`)
  await recordChanges(request, context, { kind, level, verb: 'created', names: [write.name] })
  return { ...(await getEntity(request, context, collection, write.name)), status: 201 }
}

/** Replaces an entity; what the draft keeps stays, labels too. With `If-Match` only the version that the editor has seen. */
export async function replaceEntity(
  request: LevelRequest,
  context: AdministrationContext,
  collection: Collection,
  name: string,
): Promise<Answer> {
  requireAudit(context)
  const { level } = request
  const { kind } = collection
  const draft = readBody(request.body, entityDraftSchema)
  if (draft.secretsFrom !== undefined) throw malformed('secretsFrom is for new entities; a replacement keeps its own secrets')
  const stored = await context.repository.find(kind, level, name)
  if (stored === undefined) return collection.absent(name)
  const outdated = answerByCondition({ 'if-match': request.headers['if-match'] }, versionOf(stored))
  if (outdated !== undefined) return outdated
  const verdict = await checkDraft(draft, stored, { request, level, verb: 'replaced' }, context, collection)
  if (!verdict.valid) return refuse(400, verdict.problem)
  if (verdict.write.name !== name)
    return refuse(400, `The property ${collection.nameProperty} must stay '${name}'; a duplicate can have another name`)
  const write = { ...verdict.write, sharedWithSubscriber: isShared(request, draft.sharedWithSubscriber ?? stored.sharedWithSubscriber) }
  const nowMs = context.clock.now()
  // What the draft keeps was read from this version: of another one it may be what somebody has just replaced.
  const [outcome] = await context.repository.replace(kind, level, [write], { nowMs, unchangedSinceMs: stored.modifiedAtMs })
  if (outcome === 'unknown') return changedMeanwhile(request, context, collection, name)
  await recordChanges(request, context, { kind, level, verb: 'replaced', names: [name] })
  return getEntity(request, context, collection, name)
}

async function changedMeanwhile(
  { level, headers }: LevelRequest,
  { repository }: AdministrationContext,
  collection: Collection,
  name: string,
): Promise<Answer> {
  const stored = await repository.find(collection.kind, level, name)
  if (stored === undefined) return collection.absent(name)
  const outdated = answerByCondition({ 'if-match': headers['if-match'] }, versionOf(stored))
  return outdated ?? refuse(409, `Somebody else has changed the ${collection.kind} meanwhile; read it and try again`)
}

/** The draft with the secrets that it keeps, as it would be stored. */
function checkDraft(
  { properties, keepSecrets = [] }: EntityDraft,
  source: StoredEntity | undefined,
  target: WriteTarget,
  context: AdministrationContext,
  collection: Collection,
): EntityVerdict | Promise<EntityVerdict> {
  const kept = keepSecrets.map((key) => {
    if (!isSecretProperty(key)) throw malformed(`keepSecrets: the property ${quoted(key)} is not kept secret; give its value`)
    if (Object.hasOwn(properties, key)) throw malformed(`keepSecrets: the property ${quoted(key)} has a new value`)
    const value = source !== undefined && Object.hasOwn(source.properties, key) ? source.properties[key] : undefined
    if (value === undefined) throw malformed(`keepSecrets: there is no stored value of the property ${quoted(key)}`)
    return [key, value] as const
  })
  return collection.check({ ...properties, ...Object.fromEntries(kept) }, target, context)
}

/** Only a subscriber has somebody to share with. */
function isShared({ caller, level }: LevelRequest, wanted: boolean): boolean {
  return wanted && level.instanceId !== null && !caller.isProvider
}

function quoted(key: string): string {
  return JSON.stringify(key.slice(0, 80))
}
