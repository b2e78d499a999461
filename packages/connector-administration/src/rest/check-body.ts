import type { z } from 'zod'
import { invalidRequest } from './rest-error.ts'

/** A body of the form that a route wants. @throws RestError 400 with the first problem. */
export function checkBody<Output>(schema: z.ZodType<Output>, body: unknown): Output {
  const read = schema.safeParse(body)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const where = issue?.path.join('.') ?? ''
  throw invalidRequest(`${where === '' ? 'the body' : where}: ${issue?.message ?? 'is not valid'}`)
}
