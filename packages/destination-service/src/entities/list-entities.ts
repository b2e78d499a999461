import type { Answer } from '../http/answer.ts'
import type { EntityEntry, Level, StoredEntity } from './entity-repository.ts'
import { etagOf } from './etag.ts'
import { listChunkSize } from '../limits.ts'
import { type ListQuery, type MetadataKey, parseListQuery } from './list-query.ts'
import { matches } from './name-filter.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'

/** `GET …/{subaccount,instance}Destinations`. The answer is written while it is read, so a list of any size takes little memory. */
export async function listDestinations(
  request: ServiceRequest,
  context: ServiceContext,
  target: { readonly level: Level; readonly collection: string },
): Promise<Answer> {
  const query = parseListQuery(request.query)
  const entries = await context.repository.index('destination', target.level)
  const stream = (chosen: readonly EntityEntry[], metadata: readonly MetadataKey[] = []): AsyncIterable<string> =>
    writeList(context, target.level, chosen, metadata)
  switch (query.mode) {
    case 'names':
      return { status: 200, body: entries.map((entry) => ({ Name: entry.name })) }
    case 'page': {
      const from = (query.page - 1) * query.pageSize
      const headers = pagingHeaders(query, entries.length, target.collection)
      return { status: 200, headers, stream: stream(entries.slice(from, from + query.pageSize)) }
    }
    case 'all': {
      const { filter } = query
      const nowMs = context.clock.now()
      const chosen = filter === undefined ? entries : entries.filter((entry) => matches(filter, entry, nowMs))
      return { status: 200, stream: stream(chosen, query.metadata) }
    }
  }
}

function pagingHeaders(query: ListQuery & { readonly mode: 'page' }, entityCount: number, collection: string): Record<string, string> {
  const { page, pageSize } = query
  const pageCount = Math.ceil(entityCount / pageSize)
  const link = (to: number, rel: string): string => `</${collection}?$page=${to}&$pageSize=${pageSize}>; rel='${rel}'`
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
  level: Level,
  entries: readonly EntityEntry[],
  metadata: readonly MetadataKey[],
): AsyncGenerator<string> {
  let opening = '['
  for (let from = 0; from < entries.length; from += listChunkSize) {
    const names = entries.slice(from, from + listChunkSize).map((entry) => entry.name)
    const found = new Map((await repository.read('destination', level, names)).map((stored) => [stored.name, stored]))
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

function withMetadata(stored: StoredEntity, keys: readonly MetadataKey[]): Record<string, unknown> {
  if (keys.length === 0) return stored.properties
  const values: Record<MetadataKey, () => string> = {
    modification_time: () => String(stored.modifiedAtMs),
    etag: () => etagOf(stored.properties),
  }
  return { ...stored.properties, $metadata: Object.fromEntries(keys.map((key) => [key, values[key]()])) }
}
