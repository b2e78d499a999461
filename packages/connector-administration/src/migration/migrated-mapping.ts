import { backendProtocols, backendTypes, connectorEntrySchema, principalTypes } from '@sallyport/admin-api'
import { acceptConnectors } from '@sallyport/cloud-connector'
import { z } from 'zod'
import {
  type AdministeredMapping,
  type AdministeredResource,
  idleListOf,
  mappingEntryOf,
  namedServicesOf,
} from '../document/administered-mapping.ts'
import { checkBody } from '../rest/check-body.ts'
import { tolerantBoolean, tolerantText } from '../rest/tolerant-values.ts'

const text = z
  .string()
  .nullish()
  .transform((value) => (value === '' || value === null ? undefined : value))
const flag = tolerantBoolean.nullish().transform((value) => value ?? false)
const dateMs = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ])
  .nullish()
const client = z.union([z.string(), z.object({ client: z.string() }).transform((entry) => entry.client)])

const mappingAnswer = z.object({
  virtualHost: z.string(),
  virtualPort: tolerantText(32),
  localHost: z.string(),
  localPort: tolerantText(32),
  protocol: z.enum(backendProtocols),
  backendType: z.enum(backendTypes),
  authenticationMode: z.enum(principalTypes).default('NONE'),
  hostInHeader: z
    .string()
    .nullish()
    .transform((value) => (value?.toUpperCase() === 'INTERNAL' ? ('INTERNAL' as const) : ('VIRTUAL' as const))),
  sid: text,
  description: text,
  sapRouter: text,
  sncPartnerName: text,
  creationDate: dateMs,
  creationDateMs: dateMs,
  allowedClients: z.array(client).nullish(),
  blacklistedUsers: z.array(z.object({ client: z.string(), user: z.string() })).nullish(),
})

const resourceAnswer = z.object({
  id: z.string(),
  enabled: flag,
  exactMatchOnly: flag,
  websocketUpgradeAllowed: flag,
  description: text,
  creationDate: dateMs,
  creationDateMs: dateMs,
})

/** A mapping that can be used here, with what had to be left out of it. */
export interface MigratedMapping {
  readonly mapping: AdministeredMapping
  readonly leftOut: readonly string[]
}

/**
 * A mapping of an original with its resources, as one of ours, if the connector takes it.
 *
 * @throws RestError 400, or ConnectivityError `CONFIGURATION_INVALID`, that says why not.
 */
export function migrateMapping(answer: unknown, resourceAnswers: readonly unknown[], nowMs: number): MigratedMapping {
  const { allowedClients, blacklistedUsers, creationDate, creationDateMs, ...rest } = checkBody(mappingAnswer, answer)
  const leftOut: string[] = []
  const resources = resourceAnswers.flatMap((resource): readonly AdministeredResource[] => {
    try {
      return [toResource(resource, nowMs)]
    } catch (error) {
      leftOut.push(`a resource: ${messageOf(error)}`)
      return []
    }
  })
  const whole: AdministeredMapping = {
    ...rest,
    allowedClients: allowedClients ?? [],
    blacklistedUsers: blacklistedUsers ?? [],
    creationDateMs: creationDateMs ?? creationDate ?? nowMs,
    resources,
  }
  const idle = idleListOf(whole)
  if (idle !== undefined) leftOut.push(idle)
  const mapping = idle === undefined ? whole : { ...whole, resources: [], allowedClients: [], blacklistedUsers: [] }
  try {
    requireAccepted(mapping)
    return { mapping, leftOut }
  } catch (error) {
    if (mapping.resources.length === 0) throw error
    // One that admits less is safe; one of the resources may be all that is wrong.
    requireAccepted({ ...mapping, resources: [] })
    const usable = mapping.resources.filter((resource) => {
      const refusal = refusalOf(() => requireAccepted({ ...mapping, resources: [resource] }))
      if (refusal !== undefined) leftOut.push(`resource ${resource.id}: ${refusal}`)
      return refusal === undefined
    })
    const known = new Set<string>()
    const once = usable.filter(({ id }) => {
      if (known.has(id)) leftOut.push(`resource ${id}: is there twice; the first one counts`)
      return known.size < known.add(id).size
    })
    return { mapping: { ...mapping, resources: once }, leftOut }
  }
}

function toResource(answer: unknown, nowMs: number): AdministeredResource {
  const { creationDate, creationDateMs, ...rest } = checkBody(resourceAnswer, answer)
  return { ...rest, creationDateMs: creationDateMs ?? creationDate ?? nowMs }
}

function requireAccepted(mapping: AdministeredMapping): void {
  const entry = { ...connectorEntrySchema.parse({ services: namedServicesOf([mapping]) }), mappings: [mappingEntryOf(mapping)] }
  acceptConnectors({ connectors: [entry] }, 'mapping')
}

function refusalOf(work: () => void): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** What an error says, without the place in a text that nobody wrote. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/^\S+:1:1 (?:connectors\[0\]\.mappings\[0\]\.)?/gm, '')
}
