import { rootCertificates } from 'node:tls'
import type { EmailSettings } from '@sallyport/admin-api'
import { ConnectivityError, type Logger, underSignal } from '@sallyport/core'
import type { Alert } from './alert.ts'
import type { SendAlert } from './alert-delivery.ts'
import { loadNodemailer } from './load-nodemailer.ts'

/** Sends alerts through the mail server of these settings, with a connection for each. @throws ConnectivityError `PEER_UNREACHABLE`, `CONFIGURATION_INVALID`. */
export function createMailSender(settings: EmailSettings, log: Logger): SendAlert {
  return async (alert, signal) => {
    if (settings.trustOption === 'emailTrustStore' && settings.trustStore.length === 0)
      throw new ConnectivityError(
        'CONFIGURATION_INVALID',
        'alerts by mail: the trust store holds no certificate, so no mail server is trusted',
      )
    const createTransport = await loadNodemailer()
    const transport = createTransport(transportOptions(settings, log))
    try {
      const sent: unknown = await underSignal(transport.sendMail(messageOf(settings, alert)), signal, 'send an alert by mail')
      const rejected = (sent as { readonly rejected?: readonly unknown[] }).rejected ?? []
      if (rejected.length > 0) throw new Error(`refuses ${rejected.length} of the recipients`)
    } catch (cause) {
      const { smtpHost } = settings
      const reason = cause instanceof Error ? cause.message : 'unknown'
      throw new ConnectivityError('PEER_UNREACHABLE', `mail server ${smtpHost}: ${reason}; check host, port, user and TLS option`, {
        cause,
      })
    } finally {
      transport.close()
    }
  }
}

function messageOf(settings: EmailSettings, alert: Alert): Readonly<Record<string, unknown>> {
  const { entity, message, origin, status, timestampMs, type } = alert
  return {
    from: settings.sendFrom,
    to: settings.sendTo,
    ...(settings.sendCc === undefined || settings.sendCc === '' ? {} : { cc: settings.sendCc }),
    subject: `[Cloud Connector] ${status === 'Info' ? 'Resolved' : 'Alert'}: ${type}${entity === '' ? '' : ` ${entity}`}`,
    text: `${message}\n\nStatus: ${status}\nOrigin: ${origin}\nTime: ${new Date(timestampMs).toISOString()}\n`,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** What the settings and the JavaMail properties among them mean for nodemailer. */
function transportOptions(settings: EmailSettings, log: Logger): Readonly<Record<string, unknown>> {
  const { additionalProperties = {}, smtpHost, smtpPassword = '', smtpUsername = '', trustOption } = settings
  const property = (name: string): string | undefined =>
    additionalProperties[`mail.smtp.${name}`] ?? additionalProperties[`mail.smtps.${name}`]
  const isPlain = trustOption === 'tlsDisabled'
  const secure = !isPlain && (property('ssl.enable') === 'true' || settings.smtpPort === 465)
  const logsOn = smtpUsername !== '' && property('auth') !== 'false'
  const name = property('localhost')
  return {
    host: smtpHost,
    port: settings.smtpPort ?? (secure ? 465 : 25),
    secure,
    ignoreTLS: isPlain,
    requireTLS: !isPlain && !secure,
    tls: tlsOptions(settings),
    ...(name === undefined ? {} : { name }),
    ...(logsOn ? { auth: { user: smtpUsername, pass: smtpPassword } } : {}),
    connectionTimeout: milliseconds(property('connectiontimeout')),
    greetingTimeout: milliseconds(property('timeout')),
    socketTimeout: milliseconds(property('timeout')),
    ...(additionalProperties['mail.debug'] === 'true' ? { debug: true, logger: dialogueLog(log) } : {}),
  }
}

const defaultTimeoutMs = 20_000

function milliseconds(text: string | undefined): number {
  const value = Number(text)
  return text !== undefined && /^\d{1,7}$/.test(text) && value > 0 ? value : defaultTimeoutMs
}

function tlsOptions({ trustOption, trustStore }: EmailSettings): Readonly<Record<string, unknown>> {
  switch (trustOption) {
    case 'trustAll':
      return { rejectUnauthorized: false }
    case 'jdkAndEmailTrustStore':
      return { ca: [...rootCertificates, ...trustStore] }
    default:
      return { ca: trustStore }
  }
}

/** nodemailer takes passwords out of what it hands to its logger. */
function dialogueLog(log: Logger): Readonly<Record<string, unknown>> {
  const write = (entry: unknown, ...more: readonly unknown[]): void => {
    const [format, ...values] = more.map(String)
    let at = 0
    log.info(
      { smtp: (format ?? String(entry)).replace(/%[sd]/g, () => values[at++] ?? '').slice(0, 1000) },
      'dialogue with the mail server',
    )
  }
  return { level: () => {}, trace: write, debug: write, info: write, warn: write, error: write, fatal: write }
}
