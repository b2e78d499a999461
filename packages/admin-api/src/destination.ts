import { destinationTypes, type DestinationType } from '@sallyport/core'
import { z } from 'zod'
import { isEntityName, nameProblem } from './entity-name.ts'
import { readProperties } from './entity-properties.ts'

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

const onPremiseOnly: readonly (string | undefined)[] = ['PrincipalPropagation', 'OAuth2TechnicalUserPropagation']

/**
 * Checks a destination that came from outside and gives it the form in which it is stored: numbers and booleans become texts, `$metadata` is taken out.
 *
 * Only what no reader could make sense of is refused; properties that nobody here knows stay as they are.
 */
export function checkDestination(value: unknown, options: { readonly strictNames: boolean }): DestinationVerdict {
  let name = ''
  const refuse = (problem: string): DestinationVerdict => ({ valid: false, name, problem })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('A destination must be a JSON object')
  const given = (value as Record<string, unknown>)['Name']
  if (isEntityName(given, options)) name = given
  const read = readProperties(value)
  if (!read.valid) return refuse(read.problem)
  const { properties, sharedWithSubscriber } = read
  if (!('Name' in properties)) return refuse('Property "Name" is missing')
  if (!isEntityName(properties['Name'], options)) return refuse(nameProblem('Name', options))
  if (!('Type' in properties)) return refuse('Property "Type" is missing')
  if (!isDestinationType(properties['Type'])) return refuse(`Property "Type" must be one of ${destinationTypes.join(', ')}`)
  if (onPremiseOnly.includes(properties['Authentication']) && properties['ProxyType'] !== 'OnPremise') {
    return refuse(`Authentication "${properties['Authentication']}" needs the ProxyType "OnPremise"`)
  }
  return { valid: true, input: { properties: properties as DestinationRecord, sharedWithSubscriber } }
}

function isDestinationType(value: string | undefined): value is DestinationType {
  return (destinationTypes as readonly (string | undefined)[]).includes(value)
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
