import { destinationTypes, type DestinationType } from '@sallyport/core'
import { z } from 'zod'
import { maxDestinationNameLength, maxPropertyKeyBytes, maxPropertyValueBytes } from './limits.ts'

/** A destination on the wire: a flat record of texts with at least `Name` and `Type`. */
export type DestinationRecord = Readonly<Record<string, string>> & { readonly Name: string; readonly Type: string }

/** A destination as somebody wants it stored; `sharedWithSubscriber` is the one thing that is not a property of the target. */
export interface DestinationInput {
  readonly properties: DestinationRecord
  readonly sharedWithSubscriber: boolean
}

/** What {@link checkDestination} answers. `name` is `''` where the destination has none that may be shown. */
export type DestinationVerdict =
  | { readonly valid: true; readonly input: DestinationInput }
  | { readonly valid: false; readonly name: string; readonly problem: string }

const strictName = new RegExp(`^[A-Za-z0-9_-]{1,${maxDestinationNameLength}}$`)
const printableName = new RegExp(`^[^\\p{Cc}\\p{Zl}\\p{Zp}]{1,${maxDestinationNameLength}}$`, 'u')
const sharedKey = 'shared_with_subscriber'
const onPremiseOnly: readonly (string | undefined)[] = ['PrincipalPropagation', 'OAuth2TechnicalUserPropagation']

/**
 * Checks a destination that came from outside and gives it the form in which it is stored: numbers and booleans become texts, `$metadata` is taken out.
 *
 * Only what no reader could make sense of is refused; properties that nobody here knows stay as they are. Stops at the first problem, so that hostile input
 * costs no more than reading it. `strictNames` admits letters, digits, `_` and `-`; without it any printable name is taken.
 */
export function checkDestination(value: unknown, options: { readonly strictNames: boolean }): DestinationVerdict {
  let name = ''
  const refuse = (problem: string): DestinationVerdict => ({ valid: false, name, problem })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('A destination must be a JSON object')
  const given = (value as Record<string, unknown>)['Name']
  if (isDestinationName(given, options)) name = given
  let sharedWithSubscriber = false
  const properties: Record<string, string> = {}
  for (const [key, property] of Object.entries(value)) {
    if (key === '$metadata' || key === `$metadata.${sharedKey}`) {
      const shared = key === '$metadata' ? readShared(property) : readFlag(property)
      if (shared === undefined) return refuse(`$metadata.${sharedKey} must be true or false`)
      sharedWithSubscriber ||= shared
      continue
    }
    const problem = problemOf(key, property)
    if (problem !== undefined) return refuse(problem)
    properties[key] = String(property)
  }
  if (!('Name' in properties)) return refuse('Property "Name" is missing')
  if (!isDestinationName(properties['Name'], options)) {
    const allowed = options.strictNames ? 'letters, digits, "_" and "-"' : 'printable characters'
    return refuse(`Property "Name" must have 1 to ${maxDestinationNameLength} characters out of ${allowed}`)
  }
  if (!('Type' in properties)) return refuse('Property "Type" is missing')
  if (!isDestinationType(properties['Type'])) return refuse(`Property "Type" must be one of ${destinationTypes.join(', ')}`)
  if (onPremiseOnly.includes(properties['Authentication']) && properties['ProxyType'] !== 'OnPremise') {
    return refuse(`Authentication "${properties['Authentication']}" needs the ProxyType "OnPremise"`)
  }
  return { valid: true, input: { properties: properties as DestinationRecord, sharedWithSubscriber } }
}

/** Whether a text may be the name of a destination. */
export function isDestinationName(value: unknown, options: { readonly strictNames: boolean }): value is string {
  if (typeof value !== 'string') return false
  if (options.strictNames) return strictName.test(value)
  return value.isWellFormed() && printableName.test(value)
}

function isDestinationType(value: string | undefined): value is DestinationType {
  return (destinationTypes as readonly (string | undefined)[]).includes(value)
}

function problemOf(key: string, value: unknown): string | undefined {
  const shown = JSON.stringify(key.slice(0, 80))
  if (key === '' || isLonger(key, maxPropertyKeyBytes)) return `The name of a property must have 1 to ${maxPropertyKeyBytes} bytes`
  if (key === '__proto__' || !key.isWellFormed()) return `Property ${shown} has a name that cannot be stored`
  if (typeof value === 'number' || typeof value === 'boolean') return undefined
  if (typeof value !== 'string') return `Property ${shown} must be a string, number or boolean`
  if (isLonger(value, maxPropertyValueBytes)) return `Property ${shown} is longer than ${maxPropertyValueBytes} bytes`
  if (!value.isWellFormed()) return `Property ${shown} is not well-formed Unicode`
  return undefined
}

/** Whether a text takes more bytes in UTF-8; encodes only what its length does not decide. Runs in browsers too, hence no `Buffer`. */
function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes
}

/** `$metadata` as lists return it may come back in a write; only the flag means something there. */
function readShared(metadata: unknown): boolean | undefined {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined
  return Object.hasOwn(metadata, sharedKey) ? readFlag((metadata as Record<string, unknown>)[sharedKey]) : false
}

function readFlag(value: unknown): boolean | undefined {
  const text = String(value).toLowerCase()
  return text === 'true' ? true : text === 'false' ? false : undefined
}

/** What a form or a configuration file holds for a destination; the outcome is a {@link DestinationInput}. */
export const destinationInputSchema: z.ZodType<DestinationInput, Record<string, unknown>> = z
  .record(z.string(), z.unknown())
  .transform((value, context) => {
    const verdict = checkDestination(value, { strictNames: true })
    if (verdict.valid) return verdict.input
    context.addIssue({ code: 'custom', message: verdict.problem })
    return z.NEVER
  })
