import {
  type AlertingSettings,
  alertingSettingsSchema,
  type AuditLogSettings,
  auditLogSettingsSchema,
  type EmailSettings,
  emailSettingsSchema,
} from '@sallyport/admin-api'
import { z } from 'zod'
import { type TrustStore, trustStoreSchema } from './trust-store.ts'

/** What administrators are told about and how, and what is audited of what belongs to no subaccount (cloud-connector.md §7.1, §7.4). */
export interface ReportingSettings {
  readonly alerting: AlertingSettings
  readonly email: EmailSettings
  /** Certificates that mail servers are trusted by; with them `email.trustStore` is filled where mails are sent. */
  readonly emailTrust: TrustStore
  readonly auditLog: AuditLogSettings
}

/** Checks {@link ReportingSettings} and fills in what is missing. */
export const reportingSchema: z.ZodType<ReportingSettings> = z.strictObject({
  alerting: alertingSettingsSchema.default(alertingSettingsSchema.parse({})),
  email: emailSettingsSchema.default(emailSettingsSchema.parse({})),
  emailTrust: trustStoreSchema.prefault({}),
  auditLog: auditLogSettingsSchema.default(auditLogSettingsSchema.parse({})),
})

/** How mails are sent, with the certificates that mail servers are trusted by. */
export function mailSettingsOf({ email, emailTrust }: Pick<ReportingSettings, 'email' | 'emailTrust'>): EmailSettings {
  return { ...email, trustStore: emailTrust.certificates.map(({ certificate }) => certificate) }
}
