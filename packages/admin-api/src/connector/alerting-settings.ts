import { z } from 'zod'

/** What administrators are told about, as the original names it. */
export const alertCategories = ['ha', 'tunnels', 'serviceChannels', 'CPU', 'freeDiskSpace', 'certificates', 'troubleshooting'] as const
/** One of {@link alertCategories}. */
export type AlertCategory = (typeof alertCategories)[number]

/** When there is an alert, and which ones are sent: the body of the original's `alerting` resource. */
export interface AlertingSettings {
  readonly thresholds: {
    /** Percent of all processors. */
    readonly cpuLoad: number
    /** The load has to be above for longer than this. */
    readonly cpuLoadViolationToleranceSec: number
    readonly freeDiskSpaceMb: number
    /** For a place of its own; where it is absent, the general one holds. */
    readonly freeDiscForAuditLogMb?: number | undefined
    readonly freeDiscForTraceMb?: number | undefined
    /** Certificates that end in fewer days are expiring. */
    readonly certificateValidityDays: number
  }
  /** Alerts of a category that is off are shown and not sent. */
  readonly notification: Readonly<Record<AlertCategory, boolean>>
}

const megabytes = z.int().min(0).max(1_000_000_000)
const on = z.boolean().default(true)

/** Schema of {@link AlertingSettings}; the defaults are the original's. */
export const alertingSettingsSchema: z.ZodType<AlertingSettings> = z.strictObject({
  thresholds: z
    .strictObject({
      cpuLoad: z.number().min(1).max(100).default(90),
      cpuLoadViolationToleranceSec: z.int().min(0).max(86_400).default(60),
      freeDiskSpaceMb: megabytes.default(100),
      freeDiscForAuditLogMb: megabytes.optional(),
      freeDiscForTraceMb: megabytes.optional(),
      certificateValidityDays: z.int().min(1).max(3650).default(30),
    })
    .prefault({}),
  notification: z
    .strictObject({ ha: on, tunnels: on, serviceChannels: on, CPU: on, freeDiskSpace: on, certificates: on, troubleshooting: on })
    .prefault({}),
})

/** Sends alerts as JSON to an address, signed with a shared secret. */
export interface WebhookSettings {
  readonly enabled: boolean
  readonly url: string
  readonly secret: string
}

/** Schema of {@link WebhookSettings}. What is switched off need not be complete. */
export const webhookSettingsSchema: z.ZodType<WebhookSettings> = z
  .strictObject({
    enabled: z.boolean().default(false),
    url: z.string().max(2048).default(''),
    secret: z.string().max(1024).default(''),
  })
  .superRefine(({ enabled, secret, url }, context) => {
    if (!enabled) return
    const { protocol, username } = URL.parse(url) ?? {}
    if ((protocol !== 'https:' && protocol !== 'http:') || username !== '')
      context.addIssue({ code: 'custom', path: ['url'], message: 'must be an http or https URL without user' })
    if (secret.length < 16) context.addIssue({ code: 'custom', path: ['secret'], message: 'must have 16 characters or more' })
  })
