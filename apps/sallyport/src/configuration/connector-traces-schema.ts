import { type LogSettings, logSettingsSchema } from '@sallyport/admin-api'
import { z } from 'zod'

/** What the connector traces from its start on: `connectorAdmin.traces`. */
export interface ConnectorTracesEntry {
  readonly log: LogSettings
  readonly traffic: readonly {
    readonly subaccount: string
    readonly locationId: string
    readonly trafficTrace: boolean
    readonly payloadSncTrace: boolean
  }[]
}

/** Schema of {@link ConnectorTracesEntry}. */
export const connectorTracesSchema: z.ZodType<ConnectorTracesEntry> = z
  .strictObject({
    log: logSettingsSchema.prefault({}).describe('Levels, and size and age of trace files'),
    traffic: z
      .array(
        z.strictObject({
          subaccount: z.string().min(1).max(200),
          locationId: z.string().max(200).default(''),
          trafficTrace: z.boolean().default(false).describe('Contents of everything that passes the tunnel'),
          payloadSncTrace: z.boolean().default(false).describe('Contents of SNC conversations, as they are encrypted'),
        }),
      )
      .max(1000)
      .default([])
      .describe('Subaccounts whose contents are traced, unless connector/scc_config/writeHexDump forbids it'),
  })
  .describe('Traces of the connector')
