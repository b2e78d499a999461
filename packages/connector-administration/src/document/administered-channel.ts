import { type ServiceChannelEntry, serviceChannelSchema } from '@sallyport/admin-api'
import { z } from 'zod'

/** A service channel, as the configuration file has it, with the number that its paths name it by (cloud-connector.md §4). */
export type AdministeredChannel = ServiceChannelEntry & { readonly id: number }

/** Checks an {@link AdministeredChannel} and fills in what is missing. */
export const administeredChannelSchema: z.ZodType<AdministeredChannel> = serviceChannelSchema.transform((channel, context) => {
  if (channel.id !== undefined) return { ...channel, id: channel.id }
  context.addIssue({ code: 'custom', path: ['id'], message: 'is missing' })
  return z.NEVER
})
