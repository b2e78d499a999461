import { malformed } from '../http/answer.ts'
import { flag, type Query, single } from '../http/query.ts'
import { defaultPageSize, maxPage, maxPageSize } from '../limits.ts'
import type { Collection } from './collection.ts'
import { type EntityFilter, parseFilter } from './entity-filter.ts'

/** A list is asked for in exactly one of three modes. */
export type ListQuery =
  | { readonly mode: 'all'; readonly filter: EntityFilter; readonly metadata: readonly MetadataKey[] }
  | { readonly mode: 'names' }
  | {
      readonly mode: 'page'
      readonly page: number
      readonly pageSize: number
      readonly wantsPageCount: boolean
      readonly wantsEntityCount: boolean
    }

const metadataKeys = ['modification_time', 'etag', 'labels'] as const
export type MetadataKey = (typeof metadataKeys)[number]

/**
 * Decides the mode of a list and reads its parameters.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for parameters of two modes, repeated ones and values out of range.
 */
export function parseListQuery(query: Query, { filters, nameProperty }: Collection): ListQuery {
  const [filter, metadata, select] = ['$filter', '$includeMetadata', '$select'].map((name) => single(query, name))
  const modes = [
    filter !== undefined || metadata !== undefined,
    select !== undefined,
    ['$page', '$pageSize', '$pageCount', '$entityCount'].some((name) => query.has(name)),
  ]
  if (modes.filter(Boolean).length > 1) throw malformed('$filter or $includeMetadata, $select, and paging cannot be combined')
  if (modes[1] === true) {
    if (select !== nameProperty) throw malformed(`$select can only be ${nameProperty}`)
    return { mode: 'names' }
  }
  if (modes[2] === true) {
    return {
      mode: 'page',
      page: wholeNumber(query, '$page', 1, maxPage),
      pageSize: wholeNumber(query, '$pageSize', defaultPageSize, maxPageSize),
      wantsPageCount: flag(query, '$pageCount'),
      wantsEntityCount: flag(query, '$entityCount'),
    }
  }
  return {
    mode: 'all',
    filter: filter === undefined ? [] : parseFilter(filter, filters),
    metadata: metadata === undefined ? [] : parseMetadataKeys(metadata),
  }
}

function parseMetadataKeys(text: string): MetadataKey[] {
  return text.split(';').map((key) => {
    const known = metadataKeys.find((candidate) => candidate === key.trim())
    if (known === undefined) throw malformed(`$includeMetadata can be ${metadataKeys.join(';')}`)
    return known
  })
}

function wholeNumber(query: Query, name: string, whenAbsent: number, max: number): number {
  const text = single(query, name)
  if (text === undefined) return whenAbsent
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > max) throw malformed(`${name} must be a number from 1 to ${max}`)
  return value
}
