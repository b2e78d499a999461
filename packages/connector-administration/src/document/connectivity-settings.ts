import { z } from 'zod'

/** How hard tunnels are tried, for all subaccounts of an installation (cloud-connector.md §1.15). */
export interface ConnectivitySettings {
  /** Physical connections of a tunnel for applications, besides the one that carries what is small. */
  readonly applicationTunnelConnections: number
  /** Attempts in a row to open a lost tunnel again. */
  readonly maxReconnectAttempts: number
}

/** Checks {@link ConnectivitySettings} and fills in what is missing. */
export const connectivitySettingsSchema: z.ZodType<ConnectivitySettings> = z.strictObject({
  applicationTunnelConnections: z.int().min(1).max(15).default(1),
  maxReconnectAttempts: z.int().min(1).max(100_000).default(150),
})
