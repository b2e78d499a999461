import { tryParseAddress } from '@sallyport/core'
import { z } from 'zod'
import { secretReference, type SecretReference } from '../configuration/text-reference.ts'

/** One address behind the connector of the target: what applications call it, and where its connections arrive here. */
export interface SlotEntry {
  readonly virtual: string
  readonly listen: string
  /** Where connections arrive that are meant for the connector with a location ID. */
  readonly elsewhere?: string | undefined
}

/** A target file as it is written. */
export interface TargetFile {
  readonly name: string
  readonly bindings: { readonly file: string }
  readonly authorities: readonly { readonly file: string }[]
  readonly location: string
  readonly farSide: {
    readonly tcp: readonly SlotEntry[]
    readonly http: readonly SlotEntry[]
    readonly rfc: readonly SlotEntry[]
    readonly dotted?: SlotEntry | undefined
    readonly elsewhereLocation?: string | undefined
  }
  readonly notExposed?: string | undefined
  readonly httpConnect?:
    | { readonly proxy: string; readonly user?: string | undefined; readonly password?: SecretReference | undefined }
    | undefined
  readonly users: readonly SecretReference[]
  readonly destination?: string | undefined
  readonly features: {
    readonly authorization: boolean
    readonly trusted: boolean
    readonly strict: boolean
    readonly upgrades: boolean
    readonly relay: boolean
  }
  readonly knownGaps: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly limitSeconds: number
}

const address = z.string().refine((text) => tryParseAddress(text) !== undefined, 'write host:port')

const slot = z.strictObject({
  virtual: address.describe('Virtual host and port that applications use'),
  listen: address.describe('Address of this machine that the mapping leads to; the command listens there'),
  elsewhere: address.optional().describe('Where the connector with farSide.elsewhereLocation leads the same virtual address'),
})

const slots = z
  .array(slot)
  .max(20)
  .refine(
    (entries) => entries.length === 0 || entries.length >= 3,
    'three addresses at least: the last one is kept for a backend that is down',
  )
  .default([])

/** The schema that a target file is read with. */
export const targetSchema: z.ZodType<TargetFile> = z.strictObject({
  name: z.string().min(1).max(200).default('target').describe('What the report calls it'),
  bindings: z
    .strictObject({ file: z.string().min(1) })
    .describe('VCAP_SERVICES of an application, as JSON; also inside of a default-env.json'),
  authorities: z
    .array(z.strictObject({ file: z.string().min(1) }))
    .max(50)
    .default([])
    .describe('Who vouches for the services, PEM; without them those that Node trusts'),
  location: z.string().max(189).default('').describe('Location ID of the connector that leads to this machine'),
  farSide: z
    .strictObject({
      tcp: slots.describe('Mappings of type TCP'),
      http: slots.describe('Mappings of type HTTP that admit all paths'),
      rfc: slots.describe('Mappings of type RFC that admit STFC_* and Z_*, or of type TCP where features.relay is false'),
      dotted: slot.optional().describe('A mapping of type TCP whose virtual host is an IPv4 address'),
      elsewhereLocation: z
        .string()
        .min(1)
        .max(189)
        .regex(/[A-Za-z]/, 'needs a letter: its case is tried')
        .optional()
        .describe('Location ID of a second connector, which leads every address to its "elsewhere"'),
    })
    .describe('What the connector of the target leads to this machine'),
  notExposed: address.optional().describe('A virtual address that no mapping exposes'),
  httpConnect: z
    .strictObject({ proxy: address, user: z.string().min(1).optional(), password: secretReference.optional() })
    .optional()
    .describe('A proxy with CONNECT that reaches the addresses of farSide.tcp'),
  users: z
    .array(secretReference)
    .refine((entries) => entries.length === 0 || entries.length === 2, 'two users, or none')
    .default([])
    .describe('Tokens of two users whom the connector knows'),
  destination: z.string().min(1).max(200).optional().describe('Name of a destination that is stored'),
  features: z
    .strictObject({
      authorization: z.boolean().default(true).describe('The proxy wants tokens'),
      trusted: z.boolean().default(false).describe('The HTTP listener asks for none'),
      strict: z.boolean().default(true).describe('A connection refuses what its first request did not name'),
      upgrades: z.boolean().default(true).describe('The HTTP mappings admit upgrades'),
      relay: z.boolean().default(true).describe('The connector reads RFC: it admits the functions of its mappings and no others'),
    })
    .prefault({})
    .describe('What the target can do'),
  knownGaps: z
    .record(z.string(), z.record(z.string(), z.string().min(1)))
    .default({})
    .describe('Suite, or suite/subject such as adapters/http -> case -> why it fails today; one that passes fails the run'),
  limitSeconds: z.number().min(0.1).max(600).default(10).describe('Longest wait of one case'),
})
