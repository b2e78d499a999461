import {
  type AlertingSettings,
  alertingSettingsSchema,
  type AuditLogSettings,
  auditLogSettingsSchema,
  type EmailSettings,
  emailSettingsSchema,
} from '@sallyport/admin-api'
import { z } from 'zod'

/** What administrators are told about and how, and what is audited of what belongs to no subaccount (cloud-connector.md §7.1, §7.4). */
export interface ReportingSettings {
  readonly alerting: AlertingSettings
  readonly email: EmailSettings
  readonly auditLog: AuditLogSettings
}

/** Checks {@link ReportingSettings} and fills in what is missing. */
export const reportingSchema: z.ZodType<ReportingSettings> = z.strictObject({
  alerting: alertingSettingsSchema.default(alertingSettingsSchema.parse({})),
  email: emailSettingsSchema.default(emailSettingsSchema.parse({})),
  auditLog: auditLogSettingsSchema.default(auditLogSettingsSchema.parse({})),
})
