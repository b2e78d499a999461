import type { Answer } from '../http/answer.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import { listChunkSize } from '../limits.ts'
import type { Collection } from './collection.ts'
import { matches } from './entity-filter.ts'
import type { EntityEntry, EntityKind, Level, StoredEntity } from './entity-repository.ts'
import { etagOf } from './etag.ts'
import { type ListQuery, type MetadataKey, parseListQuery } from './list-query.ts'

/** `GET` of a collection. `path` is how the answer's links call it. The answer is written while it is read, so a list of any size takes little memory. */
export async function listEntities(
  request: ServiceRequest,
  context: ServiceContext,
  target: { readonly collection: Collection; readonly level: Level; readonly path: string },
): Promise<Answer> {
  const { collection, level, path } = target
  const query = parseListQuery(request.query, collection)
  const entries = await context.repository.index(collection.kind, level)
  const stream = (chosen: readonly EntityEntry[], metadata: readonly MetadataKey[] = []): AsyncIterable<string> =>
    writeList(context, { kind: collection.kind, level, entries: chosen }, metadata)
  switch (query.mode) {
    case 'names':
      return { status: 200, body: entries.map((entry) => ({ [collection.nameProperty]: entry.name })) }
    case 'page': {
      const from = (query.page - 1) * query.pageSize
      return {
        status: 200,
        headers: pagingHeaders(query, entries.length, path),
        stream: stream(entries.slice(from, from + query.pageSize)),
      }
    }
    case 'all': {
      const nowMs = context.clock.now()
      const chosen = entries.filter((entry) => matches(query.filter, entry, nowMs))
      return { status: 200, stream: stream(chosen, query.metadata) }
    }
  }
}

function pagingHeaders(query: ListQuery & { readonly mode: 'page' }, entityCount: number, path: string): Record<string, string> {
  const { page, pageSize } = query
  const pageCount = Math.ceil(entityCount / pageSize)
  const link = (to: number, rel: string): string => `</${path}?$page=${to}&$pageSize=${pageSize}>; rel='${rel}'`
  const links = [
    // Beyond the end the way back leads to the last page there is.
    ...(page > 1 && pageCount > 0 ? [link(Math.min(page - 1, pageCount), 'previous')] : []),
    ...(page < pageCount ? [link(page + 1, 'next')] : []),
  ]
  return {
    ...(links.length === 0 ? {} : { link: links.join(', ') }),
    ...(query.wantsPageCount ? { 'page-count': String(pageCount) } : {}),
    ...(query.wantsEntityCount ? { 'entity-count': String(entityCount) } : {}),
  }
}

async function* writeList(
  { repository }: ServiceContext,
  { kind, level, entries }: { readonly kind: EntityKind; readonly level: Level; readonly entries: readonly EntityEntry[] },
  metadata: readonly MetadataKey[],
): AsyncGenerator<string> {
  let opening = '['
  for (let from = 0; from < entries.length; from += listChunkSize) {
    const names = entries.slice(from, from + listChunkSize).map((entry) => entry.name)
    const found = new Map((await repository.read(kind, level, names)).map((stored) => [stored.name, stored]))
    for (const name of names) {
      const stored = found.get(name)
      // Deleted since the index was read.
      if (stored === undefined) continue
      yield opening + JSON.stringify(withMetadata(stored, metadata))
      opening = ','
    }
  }
  yield opening === '[' ? '[]' : ']'
}

function withMetadata(stored: StoredEntity, keys: readonly MetadataKey[]): Readonly<Record<string, unknown>> {
  if (keys.length === 0) return stored.properties
  const values: Record<MetadataKey, () => unknown> = {
    modification_time: () => String(stored.modifiedAtMs),
    etag: () => etagOf(stored.properties),
    labels: () => stored.labels,
  }
  return { ...stored.properties, $metadata: Object.fromEntries(keys.map((key) => [key, values[key]()])) }
}
