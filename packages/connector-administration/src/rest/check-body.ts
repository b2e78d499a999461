import { ruleOf, showValue } from '@sallyport/admin-api'
import type { z } from 'zod'
import { invalidRequest } from './rest-error.ts'

/**
 * A value of the form that a schema wants.
 *
 * @throws RestError 400 with the first problem: which property, what is allowed, and what came, unless it may be a secret. `within` says what the value is a part of.
 */
export function checkBody<Output>(schema: z.ZodType<Output>, body: unknown, within = ''): Output {
  const read = schema.safeParse(body, { error: ruleOf, reportInput: true })
  if (read.success) return read.data
  const { input, message, path } = deepest(read.error.issues)
  const name = [...(within === '' ? [] : [within]), ...path.map(String)].join('.')
  const came = input === undefined || isSecret(path) ? '' : `; it was ${showValue(input)}`
  throw invalidRequest(`${name === '' ? 'the body' : name}: ${message}${came}`)
}

/** Of several allowed forms, the one that what came is nearest to says what is wrong with it. */
function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  const [first] = issues as [z.core.$ZodIssue]
  if (first.code !== 'invalid_union') return first
  const inner = first.errors.flatMap((branch) => (branch.length === 0 ? [] : [deepest(branch)]))
  const nearest = inner.filter(({ path }) => path.length > 0).toSorted((a, b) => b.path.length - a.path.length)[0]
  return nearest === undefined ? first : { ...nearest, path: [...first.path, ...nearest.path] }
}

/** What could be a secret does not come back in an answer, which people send around. */
function isSecret(path: readonly PropertyKey[]): boolean {
  return path.some((part) => /password|secret|key|code|authenticationdata/i.test(String(part)))
}
