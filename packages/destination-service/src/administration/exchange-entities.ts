import { exportOrderSchema, type ImportedEntry, importOrderSchema, type ImportOrder, isSecretProperty } from '@sallyport/admin-api'
import { recordChanges, requireAudit } from '../entities/change-record.ts'
import type { Collection } from '../entities/collection.ts'
import type { StoredEntity } from '../entities/entity-repository.ts'
import { createExport } from '../exchange/export-file.ts'
import { readImportFile } from '../exchange/import-file.ts'
import type { FileRecord } from '../exchange/removed-secret.ts'
import { type Answer, refuse } from '../http/answer.ts'
import { listChunkSize, maxExportBytes } from '../limits.ts'
import type { AdministrationContext } from './administration-context.ts'
import type { LevelRequest } from './administration-route.ts'
import { readBody } from './read-body.ts'

/** Writes entities into a file, without their secrets. */
export async function exportEntities(request: LevelRequest, context: AdministrationContext, collection: Collection): Promise<Answer> {
  const { kind } = collection
  const order = readBody(request.body, exportOrderSchema)
  const names = order.names ?? (await context.repository.index(kind, request.level)).map((entry) => entry.name)
  const entities = new Map<string, StoredEntity>()
  let bytes = 0
  for (let from = 0; from < names.length; from += listChunkSize) {
    for (const entity of await context.repository.read(kind, request.level, names.slice(from, from + listChunkSize))) {
      entities.set(entity.name, entity)
      bytes += Object.entries(entity.properties).reduce((sum, [key, value]) => sum + key.length + value.length, 0)
    }
    if (bytes > maxExportBytes) return refuse(400, 'This is too much for one export; name fewer')
  }
  const missing = order.names?.find((name) => !entities.has(name))
  if (missing !== undefined) return collection.absent(missing)
  if (entities.size === 0) return refuse(404, `There are no ${kind}s to export`)
  const chosen = [...new Set(names)].map((name) => entities.get(name)?.properties).filter((properties) => properties !== undefined)
  const file = createExport(chosen, { format: order.format, nowMs: context.clock.now() })
  return { status: 200, body: { fileName: file.name, mediaType: file.mediaType, content: file.content.toString('base64') } }
}

/** Stores what a file holds, each entry by itself; or says what would become of it. */
export async function importEntities(request: LevelRequest, context: AdministrationContext, collection: Collection): Promise<Answer> {
  const order = readBody(request.body, importOrderSchema)
  if (!order.review) requireAudit(context)
  const records = readImportFile({ name: order.fileName, content: Buffer.from(order.content, 'base64') })
  const entries: ImportedEntry[] = []
  const names = new Set<string>()
  for (const record of records) {
    const entry = await importOne(record, { request, context, collection, order, taken: names })
    names.add(entry.name)
    entries.push(entry)
  }
  return { status: 200, body: entries }
}

interface Importing {
  readonly request: LevelRequest
  readonly context: AdministrationContext
  readonly collection: Collection
  readonly order: ImportOrder
  /** Names that the file has had before. */
  readonly taken: ReadonlySet<string>
}

async function importOne(record: FileRecord, { request, context, collection, order, taken }: Importing): Promise<ImportedEntry> {
  const { kind, nameProperty } = collection
  const { level } = request
  const given = record.properties[nameProperty]
  const stored = typeof given === 'string' && given !== '' ? await context.repository.find(kind, level, given) : undefined
  // Exports leave secrets out; what is stored already need not be given again.
  const remembered = Object.entries(stored?.properties ?? {}).filter(
    ([key]) => isSecretProperty(key) && !Object.hasOwn(record.properties, key),
  )
  const verb = stored === undefined ? 'created' : 'replaced'
  const verdict = await collection.check({ ...record.properties, ...Object.fromEntries(remembered) }, { request, level, verb }, context)
  if (!verdict.valid) return { name: verdict.name, outcome: 'failed', problem: verdict.problem, missingSecrets: record.removed }
  const { write } = verdict
  const missingSecrets = record.removed.filter((key) => !Object.hasOwn(write.properties, key))
  const entry = (outcome: ImportedEntry['outcome'], problem?: string): ImportedEntry => ({
    name: write.name,
    outcome,
    missingSecrets,
    ...(problem === undefined ? {} : { problem }),
    ...(order.review ? { properties: withoutRemembered(write.properties, remembered) } : {}),
  })
  if (taken.has(write.name)) return entry('failed', 'the file has it twice')
  if (stored !== undefined && order.existing === 'fail') return entry('failed', 'it exists already')
  if (stored !== undefined && order.existing === 'ignore') return entry('kept')
  if (order.review) return entry(verb)
  const shared = stored?.sharedWithSubscriber ?? (write.sharedWithSubscriber && level.instanceId !== null && !request.caller.isProvider)
  const writes = [{ ...write, sharedWithSubscriber: shared }]
  const nowMs = context.clock.now()
  const [outcome] =
    stored === undefined
      ? await context.repository.create(kind, level, writes, { nowMs, maxPerSubaccount: context.maxPerSubaccount })
      : await context.repository.replace(kind, level, writes, {
          nowMs: Math.max(nowMs, stored.modifiedAtMs + 1),
          // Its secrets are among what is written.
          unchangedSinceMs: stored.modifiedAtMs,
        })
  if (outcome === 'full') return entry('failed', `the subaccount has room for ${context.maxPerSubaccount} only`)
  if (outcome === 'exists') return entry('failed', 'it exists already')
  if (outcome === 'unknown') return entry('failed', 'somebody else has changed or deleted it meanwhile')
  await recordChanges(request, context, { kind, level, verb, names: [write.name] })
  return entry(verb)
}

/** Whoever reviews a file sees what is in it, not what is stored. */
function withoutRemembered(
  properties: Readonly<Record<string, string>>,
  remembered: readonly (readonly [string, string])[],
): Readonly<Record<string, string>> {
  const names = new Set(remembered.map(([key]) => key))
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !names.has(key)))
}
