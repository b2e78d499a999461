import { type AlertingSettings, alertingSettingsSchema, type EmailTrustOption, emailTrustOptions } from '@sallyport/admin-api'
import { z } from 'zod'
import { fileReference, secretReference, type SecretReference } from './text-reference.ts'

/** When the connector alerts, and whom it tells: `connectorAdmin.alerts`. */
export interface ConnectorAlertsEntry {
  readonly settings?: AlertingSettings | undefined
  readonly email?:
    | {
        readonly to: string
        readonly cc?: string | undefined
        readonly from: string
        readonly host: string
        readonly port?: number | undefined
        readonly user?: string | undefined
        readonly password?: SecretReference | undefined
        readonly tls: EmailTrustOption
        readonly authorities: readonly { readonly file: string }[]
        readonly properties: Readonly<Record<string, string>>
      }
    | undefined
  readonly webhook?: { readonly url: string; readonly secret: SecretReference } | undefined
}

/** Schema of {@link ConnectorAlertsEntry}. Addresses are checked when the connector starts, by the rules of the administration API. */
export const connectorAlertsSchema: z.ZodType<ConnectorAlertsEntry> = z
  .strictObject({
    settings: alertingSettingsSchema.optional().describe('Thresholds, and which categories are sent'),
    email: z
      .strictObject({
        to: z.string().min(1).describe('Addresses, several with commas'),
        cc: z.string().optional(),
        from: z.string().min(1),
        host: z.string().min(1).describe('Mail server'),
        port: z.int().min(1).max(65_535).optional().describe('Default: 25, and 465 with mail.smtp.ssl.enable'),
        user: z.string().optional(),
        password: secretReference.optional(),
        tls: z.enum(emailTrustOptions).default('jdkAndEmailTrustStore').describe('"tlsDisabled" sends the log-on and the mail readable'),
        authorities: z.array(fileReference).default([]).describe('PEM of authorities that the mail server may have its certificate from'),
        properties: z.record(z.string(), z.string()).default({}).describe('JavaMail properties, such as mail.smtp.connectiontimeout'),
      })
      .optional()
      .describe('Sends alerts by mail; needs the package nodemailer'),
    webhook: z
      .strictObject({
        url: z.string().min(1),
        secret: secretReference.describe('16 characters or more; signs every alert'),
      })
      .optional()
      .describe('Posts alerts as JSON'),
  })
  .describe('Alerts of the connector')
