import { localPortOf } from '@sallyport/admin-api'
import { z } from 'zod'
import { type AdministeredChannel, administeredChannelSchema } from './administered-channel.ts'
import { administeredMappingSchema } from './administered-mapping.ts'
import type { AdministeredSubaccount } from './administered-subaccount.ts'
import { mergeByKey, mergeMappings, type MergeOptions } from './merge-mappings.ts'

/** What goes from one subaccount to another: both directions, but neither its trust nor anything of its identity (cloud-connector.md §1.13). */
export type ExportedSubaccount = Pick<AdministeredSubaccount, 'systemMappings' | 'domainMappings' | 'channels'>

/** Checks an exported subaccount. */
export const exportedSubaccountSchema: z.ZodType<ExportedSubaccount & { readonly version: 1 }> = z.strictObject({
  version: z.literal(1),
  systemMappings: z.array(administeredMappingSchema).max(10_000),
  domainMappings: z
    .array(z.strictObject({ virtualDomain: z.string().min(1).max(255), internalDomain: z.string().min(1).max(255) }))
    .max(10_000),
  channels: z.array(administeredChannelSchema).max(500),
})

/** The part of a subaccount that is exported. */
export function exportSubaccount({ channels, domainMappings, systemMappings }: AdministeredSubaccount): ExportedSubaccount {
  return { systemMappings, domainMappings, channels }
}

/**
 * A subaccount with what was exported elsewhere. What both have stays as it is, or is replaced with `overwrite`: mappings of one virtual address, cookie domains of
 * one internal domain, channels of one port. Channels that arrive are disabled and get numbers of their own: their ports may be those of where they come from.
 */
export function importSubaccount(
  entry: AdministeredSubaccount,
  imported: ExportedSubaccount,
  options: MergeOptions,
): AdministeredSubaccount {
  return {
    ...entry,
    ...mergeChannels(entry, imported.channels, options),
    systemMappings: mergeMappings(entry.systemMappings, imported.systemMappings, options),
    domainMappings: mergeByKey(entry.domainMappings, imported.domainMappings, options.overwrite, ({ internalDomain }) =>
      internalDomain.toLowerCase(),
    ),
  }
}

function mergeChannels(
  { channels, nextChannelId }: AdministeredSubaccount,
  imported: readonly AdministeredChannel[],
  { overwrite }: MergeOptions,
): Pick<AdministeredSubaccount, 'channels' | 'nextChannelId'> {
  const keyOf = (channel: AdministeredChannel): string => `${channel.host} ${localPortOf(channel)}`
  let next = nextChannelId
  const arriving = imported
    .filter((channel) => overwrite || !channels.some((known) => keyOf(known) === keyOf(channel)))
    .map((channel) => ({ ...channel, id: next++, enabled: false }))
  const kept = channels.filter((known) => !arriving.some((channel) => keyOf(channel) === keyOf(known)))
  return { channels: [...kept, ...arriving], nextChannelId: next }
}
