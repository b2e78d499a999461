import { checkDestination, checkFragment } from '@sallyport/admin-api'
import { z } from 'zod'
import { reference, type TextOrReference } from './text-reference.ts'

/** A destination or fragment as the file holds it: with the property names of the service. */
export type ConfiguredEntity = Readonly<Record<string, TextOrReference | number | boolean>>

/** What becomes of an entity that the service is to store. */
type EntityVerdict =
  | {
      readonly valid: true
      readonly input: { readonly properties: Readonly<Record<string, string>>; readonly sharedWithSubscriber: boolean }
    }
  | { readonly valid: false; readonly problem: string }

/** What a list of a subaccount holds. */
export interface ConfiguredCollection {
  /** Its key in the file. */
  readonly key: 'destinations' | 'fragments'
  readonly kind: 'destination' | 'fragment'
  readonly nameProperty: 'Name' | 'FragmentName'
  readonly check: (value: unknown, options: { readonly strictNames: boolean }) => EntityVerdict
}

/** What a subaccount of the file may bring along for the destination service. */
export const configuredCollections: readonly ConfiguredCollection[] = [
  { key: 'destinations', kind: 'destination', nameProperty: 'Name', check: checkDestination },
  { key: 'fragments', kind: 'fragment', nameProperty: 'FragmentName', check: checkFragment },
]

type Entities = z.ZodType<readonly ConfiguredEntity[]>

const entities: Entities = z.array(z.record(z.string(), z.union([reference, z.number(), z.boolean()])))

/** The part of the schema for what a subaccount brings along. */
export const configuredEntityFields: Readonly<Record<ConfiguredCollection['key'], z.ZodDefault<Entities>>> = {
  destinations: entities
    .default([])
    .describe('Destinations of the subaccount with the property names of the service; created when there is none of that name yet'),
  fragments: entities
    .default([])
    .describe(
      'Fragments of the subaccount: FragmentName, and properties laid over a destination; created when there is none of that name yet',
    ),
}
