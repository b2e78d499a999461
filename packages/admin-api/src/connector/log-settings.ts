import { z } from 'zod'

/** Levels of traces, in the original's words. */
export const traceLevels = ['OFF', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL'] as const
/** One of {@link traceLevels}. */
export type TraceLevel = (typeof traceLevels)[number]

/** What is traced: the original's `logAndTrace` resource, without what it only shows. */
export interface LogSettings {
  readonly sccLogLevel: TraceLevel
  readonly otherLogLevel: TraceLevel
  readonly cpicTraceLevel: 0 | 1 | 2 | 3
  /** Takes effect with the next start. */
  readonly tlsTrace: boolean
  /** Days after which trace files go; 0: never. */
  readonly cleanup: number
  /** Size at which a new file is begun, in MB. */
  readonly rolloverThreshold: number
}

/** Schema of {@link LogSettings}. */
export const logSettingsSchema: z.ZodType<LogSettings> = z.strictObject({
  sccLogLevel: z.enum(traceLevels).default('INFO'),
  otherLogLevel: z.enum(traceLevels).default('INFO'),
  cpicTraceLevel: z.literal([0, 1, 2, 3]).default(0),
  tlsTrace: z.boolean().default(false),
  cleanup: z.int().min(0).max(3650).default(0),
  rolloverThreshold: z.int().min(1).max(10_000).default(50),
})

/** Reads the size of a request: `75 MB` or `75MB`; `undefined` for anything else, a number without unit among it. */
export function parseRolloverThreshold(text: string): number | undefined {
  const megabytes = /^([1-9]\d{0,4}) ?MB$/.exec(text)?.[1]
  const value = megabytes === undefined ? undefined : Number(megabytes)
  return value === undefined || value > 10_000 ? undefined : value
}

/** Which contents are traced for one subaccount. */
export interface TrafficTraceSettings {
  readonly trafficTrace: boolean
  readonly payloadSncTrace: boolean
}

/** Schema of {@link TrafficTraceSettings}. */
export const trafficTraceSettingsSchema: z.ZodType<TrafficTraceSettings> = z.strictObject({
  trafficTrace: z.boolean().default(false),
  payloadSncTrace: z.boolean().default(false),
})

/** How much of what belongs to no subaccount is audited, and how long all is kept: the original's `auditLog` resource. */
export interface AuditLogSettings {
  readonly level: 'OFF' | 'SECURITY' | 'ALL'
  readonly cleanup: 0 | 14 | 30 | 90 | 180 | 365
}

/** Schema of {@link AuditLogSettings}. */
export const auditLogSettingsSchema: z.ZodType<AuditLogSettings> = z.strictObject({
  level: z.enum(['OFF', 'SECURITY', 'ALL']).default('SECURITY'),
  cleanup: z.literal([0, 14, 30, 90, 180, 365]).default(0),
})
