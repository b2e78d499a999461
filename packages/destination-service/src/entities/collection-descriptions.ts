import { bulkDeletionSchema, bulkResultSchema, countSchema, labelChangeSchema, labelsSchema } from '@sallyport/admin-api'
import { z } from 'zod'
import type { RouteDescription } from '../http/route.ts'
import { defaultPageSize, maxPageSize } from '../limits.ts'
import type { Collection } from './collection.ts'
import { describeFilter } from './entity-filter.ts'

const unchanged = { description: 'The caller has this version already' }
const conditions = { 'If-Match': 'The versions that the caller accepts', 'If-None-Match': 'The versions that the caller has already' }

/** What the API's document says of the routes of a collection. */
export function describeCollection(collection: Collection, levelName: string): Readonly<Record<DescribedRoute, RouteDescription>> {
  const { kind, bulk, schema, filters, nameProperty, absentDeletion } = collection
  const tag = `${kind[0]?.toUpperCase() ?? ''}${kind.slice(1)}s`
  const where = `of the ${levelName}`
  const several = (one: z.ZodType): z.ZodType => (bulk ? z.union([one, z.array(one)]) : one)
  const counted = { description: 'How many were changed', body: countSchema }
  return {
    list: {
      tag,
      summary: `Lists the ${kind}s ${where}, by name`,
      query: {
        $filter: describeFilter(filters),
        $includeMetadata: 'modification_time;etag;labels',
        $select: nameProperty,
        $page: 'The page, from 1',
        $pageSize: `1 to ${maxPageSize}; ${defaultPageSize} unless told`,
        $pageCount: 'true: adds the header Page-Count',
        $entityCount: 'true: adds the header Entity-Count',
      },
      answers: { 200: { description: 'Flat objects; pages link to their neighbours in the header Link', body: z.array(schema) } },
    },
    create: {
      tag,
      summary: bulk ? `Creates ${kind}s ${where}: one, or an array of which each is created by itself` : `Creates a ${kind} ${where}`,
      body: several(schema),
      answers: {
        201: {
          description: bulk ? 'Created; what became of each when several were sent' : 'Created',
          ...(bulk ? { body: bulkResultSchema } : {}),
        },
        ...(bulk ? { 207: { description: 'Some were not created', body: bulkResultSchema } } : {}),
      },
      refusals: [409, 413, 415],
    },
    replace: {
      tag,
      summary: bulk
        ? `Replaces ${kind}s ${where} wholly: one, or an array of which each is replaced by itself`
        : `Replaces a ${kind} ${where} wholly`,
      body: several(schema),
      answers: {
        200: { ...counted, body: bulk ? z.union([countSchema, bulkResultSchema]) : countSchema },
        ...(bulk ? { 207: { description: 'Some were not replaced', body: bulkResultSchema } } : {}),
      },
      refusals: [404, 413, 415],
    },
    deleteSeveral: {
      tag,
      summary: bulk ? `Deletes several ${kind}s ${where}` : `Refused: ${kind}s are deleted one at a time`,
      query: { $filter: "Name in ('…')" },
      answers: bulk ? { 200: { description: 'What became of each', body: bulkDeletionSchema } } : {},
    },
    get: {
      tag,
      summary: `Reads a ${kind} ${where}`,
      headers: conditions,
      answers: { 200: { description: 'A flat object; the header ETag names its version', body: schema }, 304: unchanged },
      refusals: [404, 412],
    },
    delete: {
      tag,
      summary: `Deletes a ${kind} ${where}`,
      answers: { 200: counted },
      refusals: absentDeletion === 'refused' ? [404] : [],
    },
    getLabels: {
      tag,
      summary: `Reads the labels of a ${kind}`,
      answers: { 200: { description: 'Labels', body: labelsSchema } },
      refusals: [404],
    },
    replaceLabels: {
      tag,
      summary: `Replaces the labels of a ${kind}`,
      body: labelsSchema,
      answers: { 200: counted },
      refusals: [404, 413, 415],
    },
    patchLabels: {
      tag,
      summary: `Adds to the labels of a ${kind}, or takes away from them`,
      body: labelChangeSchema,
      answers: { 200: counted },
      refusals: [404, 413, 415],
    },
  }
}

type DescribedRoute = 'list' | 'create' | 'replace' | 'deleteSeveral' | 'get' | 'delete' | 'getLabels' | 'replaceLabels' | 'patchLabels'
