import { type TrafficTraceSettings, trafficTraceSettingsSchema } from '@sallyport/admin-api'
import { z } from 'zod'
import { type AdministeredChannel, administeredChannelSchema } from './administered-channel.ts'
import { type AdministeredMapping, administeredMappingSchema } from './administered-mapping.ts'

/** One subaccount: its place in the cloud, what is exposed to it, and how. The key is region host and subaccount. */
export interface AdministeredSubaccount extends SubaccountKey {
  readonly displayName: string
  readonly description: string
  readonly locationId: string
  readonly autoCertRenewal: boolean
  readonly isManaged: boolean
  /** Who added it or renewed its certificate, on the cloud side. */
  readonly initiatedBy: string
  /** Where its certificates come from; absent where it was paired on the command line. */
  readonly service?: { readonly url: string; readonly authority?: string | undefined } | undefined
  /** What an administrator wants; whether the tunnel is open is another matter. */
  readonly connected: boolean
  readonly auditLevel: 'OFF' | 'SECURITY' | 'ALL'
  /** Whose contents are traced. Of this instance alone: the other one of a pair has its own. */
  readonly traces: TrafficTraceSettings
  /** Which token issuers are trusted, and whether their list follows the cloud side by itself. */
  readonly trust: { readonly automatic: boolean; readonly untrustedIssuers: readonly string[] }
  readonly systemMappings: readonly AdministeredMapping[]
  readonly domainMappings: readonly { readonly virtualDomain: string; readonly internalDomain: string }[]
  readonly channels: readonly AdministeredChannel[]
  /** Above the numbers of all channels that there have ever been: none is given twice. */
  readonly nextChannelId: number
}

/** Names a subaccount in paths and messages. */
export interface SubaccountKey {
  readonly regionHost: string
  readonly subaccount: string
}

/** Checks an {@link AdministeredSubaccount} and fills in what is missing. */
export const administeredSubaccountSchema: z.ZodType<AdministeredSubaccount> = z.strictObject({
  regionHost: z.string().min(1).max(255),
  subaccount: z.string().min(1).max(200),
  displayName: z.string().max(200).default(''),
  description: z.string().max(1024).default(''),
  locationId: z.string().max(200).default(''),
  autoCertRenewal: z.boolean().default(false),
  isManaged: z.boolean().default(false),
  initiatedBy: z.string().max(320).default(''),
  service: z.strictObject({ url: z.url({ protocol: /^https$/ }).max(500), authority: z.string().max(100_000).optional() }).optional(),
  connected: z.boolean().default(true),
  auditLevel: z.enum(['OFF', 'SECURITY', 'ALL']).default('SECURITY'),
  traces: trafficTraceSettingsSchema.prefault({}),
  trust: z
    .strictObject({ automatic: z.boolean().default(false), untrustedIssuers: z.array(z.string().min(1).max(1000)).max(1000).default([]) })
    .prefault({}),
  systemMappings: z.array(administeredMappingSchema).default([]),
  domainMappings: z
    .array(z.strictObject({ virtualDomain: z.string().min(1).max(255), internalDomain: z.string().min(1).max(255) }))
    .default([]),
  channels: z.array(administeredChannelSchema).max(500).default([]),
  nextChannelId: z.int().min(1).default(1),
})

/** Whether an entry is the one that a key names. */
export function isSubaccount(entry: SubaccountKey, key: SubaccountKey): boolean {
  return entry.subaccount === key.subaccount && entry.regionHost.toLowerCase() === key.regionHost.toLowerCase()
}
