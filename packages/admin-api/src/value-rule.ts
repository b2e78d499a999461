import type { z } from 'zod'
import { maxShownValueLength } from './limits.ts'

/**
 * What is allowed where a value is not, as a part of a sentence whose subject is the value: `has to be a whole number`. For `error` of a check; what a schema says
 * itself comes before this.
 */
export function ruleOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `has to be ${typeNames[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return issue.input === undefined
        ? 'is missing'
        : `has to be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(showValue).join(', ')}`
    case 'too_small':
      return bound(issue.origin, 'at least', Number(issue.minimum))
    case 'too_big':
      return bound(issue.origin, 'at most', Number(issue.maximum))
    case 'unrecognized_keys':
      return `has no property ${issue.keys.map(showValue).join(', ')}`
    case 'invalid_format':
      return `has to be ${formatNames[issue.format] ?? 'written in another form'}`
    case 'invalid_union':
      return issue.input === undefined ? 'is missing' : 'is not of any form that is allowed here'
    case 'invalid_key':
      return 'has a property whose name is not allowed'
    case 'invalid_element':
      return 'has an element that is not allowed'
    case 'not_multiple_of':
      return `has to be a multiple of ${issue.divisor}`
    case 'custom':
      return 'is not allowed here'
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}
const formatNames: Readonly<Record<string, string>> = { url: 'a URL', email: 'a mail address', regex: 'written in another form' }

function bound(origin: string, relation: string, limit: number): string {
  if (origin === 'string')
    return limit === 1 && relation === 'at least' ? 'must not be empty' : `has to have ${relation} ${limit} characters`
  if (origin === 'array' || origin === 'set') return `has to have ${relation} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  return `has to be ${relation} ${limit}`
}

/** A value as messages show it, shortened. */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > maxShownValueLength ? `${text.slice(0, maxShownValueLength)}…` : text
}
