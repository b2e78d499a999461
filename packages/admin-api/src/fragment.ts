import { z } from 'zod'
import { isEntityName, nameProblem } from './entity-name.ts'
import { readProperties } from './entity-properties.ts'

/** A fragment on the wire: a flat record of texts with `FragmentName` and without `Name` and `Type`. */
export type FragmentRecord = Readonly<Record<string, string>> & { readonly FragmentName: string }

/** Checks a fragment as it comes over the wire: `FragmentName` and texts only. */
export const fragmentRecordSchema: z.ZodType<FragmentRecord> = z
  .object({ FragmentName: z.string() })
  .catchall(z.string()) as z.ZodType<FragmentRecord>

/** A fragment as somebody wants it stored. */
export interface FragmentInput {
  readonly properties: FragmentRecord
  readonly sharedWithSubscriber: boolean
}

/** What {@link checkFragment} answers. `name` is `''` where the fragment has none that may be shown. */
export type FragmentVerdict =
  | { readonly valid: true; readonly input: FragmentInput }
  | { readonly valid: false; readonly name: string; readonly problem: string }

/** Checks a fragment that came from outside and gives it the form in which it is stored: numbers and booleans become texts, `$metadata` is taken out. */
export function checkFragment(value: unknown, options: { readonly strictNames: boolean }): FragmentVerdict {
  let name = ''
  const refuse = (problem: string): FragmentVerdict => ({ valid: false, name, problem })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('A fragment must be a JSON object')
  const given = (value as Record<string, unknown>)['FragmentName']
  if (isEntityName(given, options)) name = given
  // What a destination is called and what it is cannot be laid over it.
  for (const property of ['Name', 'Type']) {
    if (Object.hasOwn(value, property)) return refuse(`A fragment must not have the property "${property}"`)
  }
  const read = readProperties(value)
  if (!read.valid) return refuse(read.problem)
  const { properties, sharedWithSubscriber } = read
  if (!('FragmentName' in properties)) return refuse('Property "FragmentName" is missing')
  if (!isEntityName(properties['FragmentName'], options)) return refuse(nameProblem('FragmentName', options))
  return { valid: true, input: { properties: properties as FragmentRecord, sharedWithSubscriber } }
}
