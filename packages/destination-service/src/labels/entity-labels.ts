import { formatProblemPath, type Label, labelChangeSchema, labelsSchema, maxLabels, maxLabelValues } from '@sallyport/admin-api'
import type { z } from 'zod'
import { recordChanges, requireAudit } from '../entities/change-record.ts'
import type { Collection } from '../entities/collection.ts'
import type { Level } from '../entities/entity-repository.ts'
import { type Answer, malformed } from '../http/answer.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import { addLabels, removeLabels } from './change-labels.ts'

interface Target {
  readonly collection: Collection
  readonly level: Level
}

/** `GET …/{name}/labels` */
export async function getLabels(
  _request: ServiceRequest,
  { repository }: ServiceContext,
  { collection, level }: Target,
  name: string,
): Promise<Answer> {
  const stored = await repository.find(collection.kind, level, name)
  return stored === undefined ? collection.absent(name) : { status: 200, body: stored.labels }
}

/** `PUT …/{name}/labels`: the body replaces all labels. */
export function replaceLabels(request: ServiceRequest, context: ServiceContext, target: Target, name: string): Promise<Answer> {
  // Merging into nothing makes one label of a key that comes twice.
  const labels = addLabels([], read(request.body, labelsSchema))
  return changeLabels(request, context, target, name, () => labels)
}

/** `PATCH …/{name}/labels`: adds to the labels, or takes away from them. */
export function patchLabels(request: ServiceRequest, context: ServiceContext, target: Target, name: string): Promise<Answer> {
  const { action, labels } = read(request.body, labelChangeSchema)
  const change = action === 'ADD' ? addLabels : removeLabels
  return changeLabels(request, context, target, name, (before) => change(before, labels))
}

async function changeLabels(
  request: ServiceRequest,
  context: ServiceContext,
  { collection, level }: Target,
  name: string,
  change: (labels: readonly Label[]) => readonly Label[],
): Promise<Answer> {
  requireAudit(context)
  if (!(await context.repository.setLabels(collection.kind, level, name, change))) return collection.absent(name)
  await recordChanges(request, context, { kind: collection.kind, level, verb: 'labelled', names: [name] })
  return { status: 200, body: { Count: 1 } }
}

function read<T>(body: unknown, schema: z.ZodType<T>): T {
  const verdict = schema.safeParse(body)
  if (verdict.success) return verdict.data
  const path = formatProblemPath((verdict.error.issues[0]?.path ?? []) as (string | number)[])
  const where = path === '' ? 'The body' : path
  throw malformed(
    `${where} is not valid: labels are objects with a printable "key" and an array of printable "values", ${maxLabels} labels with ${maxLabelValues} values each at most; a change has an "action", ADD or DELETE, and "labels"`,
  )
}
