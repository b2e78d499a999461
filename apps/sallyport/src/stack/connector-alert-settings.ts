import { alertingSettingsSchema, emailSettingsSchema, webhookSettingsSchema } from '@sallyport/admin-api'
import type { AlertSettings } from '@sallyport/cloud-connector'
import { mailSettingsOf, type ReportingSettings } from '@sallyport/connector-administration'
import { ConnectivityError } from '@sallyport/core'
import { type Configuration, resolveText } from '../configuration/configuration.ts'

/** What the configuration file says about alerts, with its references read. @throws ConnectivityError `CONFIGURATION_INVALID` */
export function alertSettingsOf(configuration: Configuration): AlertSettings {
  const { email, settings = {}, webhook } = configuration.connectorAdmin.alerts ?? {}
  const read = (reference: Parameters<typeof resolveText>[0]): string => resolveText(reference, configuration, process.env)
  const parsed = {
    alerting: alertingSettingsSchema.parse(settings),
    email: emailSettingsSchema.safeParse(
      email === undefined
        ? {}
        : {
            enabled: true,
            trustOption: email.tls,
            sendTo: email.to,
            sendCc: email.cc,
            sendFrom: email.from,
            smtpHost: email.host,
            smtpPort: email.port,
            smtpUsername: email.user,
            smtpPassword: email.password === undefined ? undefined : read(email.password),
            additionalProperties: email.properties,
            trustStore: email.authorities.map(read),
          },
    ),
    webhook: webhookSettingsSchema.safeParse(
      webhook === undefined ? {} : { enabled: true, url: webhook.url, secret: read(webhook.secret) },
    ),
  }
  const issues = [...(parsed.email.error?.issues ?? []), ...(parsed.webhook.error?.issues ?? [])]
  if (parsed.email.data === undefined || parsed.webhook.data === undefined) {
    const problems = issues.map(({ message, path }) => `${path.join('.')} ${message}`).join('; ')
    throw new ConnectivityError('CONFIGURATION_INVALID', `${configuration.path}: connectorAdmin.alerts: ${problems}`)
  }
  return { alerting: parsed.alerting, email: parsed.email.data, webhook: parsed.webhook.data }
}

/**
 * What an administered installation says about alerts: thresholds and mail stand in its document, the webhook in the file, because the administration API has no
 * word for it.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when the file says what the document decides.
 */
export function administeredAlertSettings(configuration: Configuration, reporting: () => ReportingSettings): () => AlertSettings {
  const { email, settings } = configuration.connectorAdmin.alerts ?? {}
  if (email !== undefined || settings !== undefined)
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `${configuration.path}: connectorAdmin.alerts: mail and settings of alerts are administered, because the file names no connectors; only the webhook stands there`,
    )
  const { webhook } = alertSettingsOf(configuration)
  return () => ({ alerting: reporting().alerting, email: mailSettingsOf(reporting()), webhook })
}
