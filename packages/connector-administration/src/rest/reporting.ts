import { alertingSettingsSchema, auditLogSettingsSchema, type EmailSettings, emailSettingsSchema } from '@sallyport/admin-api'
import { z } from 'zod'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import type { ReportingSettings } from '../document/reporting.ts'
import { checkBody } from './check-body.ts'
import { invalidRequest } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { tolerantBoolean, tolerantInteger } from './tolerant-values.ts'
import { describeTrusted, trustStoreRoutes } from './trust-store.ts'

const base = '/api/v1/configuration/connector'

/** Thresholds and categories of alerts, the mail server they go to, and levels of the audit log (cloud-connector.md §8.7). */
export function reporting(editor: ConfigurationEditor): readonly Route[] {
  const change = (user: string, edit: (before: ReportingSettings) => Partial<ReportingSettings>): Promise<unknown> =>
    editor.change(user, (document) => ({ ...document, reporting: { ...document.reporting, ...edit(document.reporting) } }))
  return [
    ...alertingRoutes(editor, change),
    ...emailRoutes(editor, change),
    ...emailTrustRoutes(editor, change),
    ...auditLogRoutes(editor, change),
  ]
}

type Change = (user: string, edit: (before: ReportingSettings) => Partial<ReportingSettings>) => Promise<unknown>

const whole = tolerantInteger(0, 1_000_000_000)
const alertingBody = z.object({
  thresholds: z
    .object({
      cpuLoad: whole,
      cpuLoadViolationToleranceSec: whole,
      freeDiskSpaceMb: whole,
      freeDiscForAuditLogMb: whole,
      freeDiscForTraceMb: whole,
      certificateValidityDays: whole,
    })
    .partial()
    .optional(),
  notification: z
    .object({
      ha: tolerantBoolean,
      tunnels: tolerantBoolean,
      serviceChannels: tolerantBoolean,
      CPU: tolerantBoolean,
      freeDiskSpace: tolerantBoolean,
      certificates: tolerantBoolean,
      troubleshooting: tolerantBoolean,
    })
    .partial()
    .optional(),
})

function alertingRoutes(editor: ConfigurationEditor, change: Change): readonly Route[] {
  const path = `${base}/alerting`
  return [
    route({ method: 'GET', path, permission: 'all', handle: () => ({ status: 200, body: editor.document.reporting.alerting }) }),
    ...(['PUT', 'PATCH'] as const).map((method) =>
      route({
        method,
        path,
        permission: 'administrators',
        body: alertingBody,
        async handle({ body, caller }) {
          if (method === 'PUT' && (body.thresholds === undefined || body.notification === undefined))
            throw invalidRequest('thresholds and notification are both needed')
          await change(caller.user, ({ alerting }) => {
            const before = method === 'PUT' ? { thresholds: {}, notification: {} } : alerting
            const thresholds = { ...before.thresholds, ...body.thresholds }
            return {
              alerting: checkBody(alertingSettingsSchema, { thresholds, notification: { ...before.notification, ...body.notification } }),
            }
          })
          return { status: 204 }
        },
      }),
    ),
  ]
}

const text = z.string().max(2048).optional()
const emailBody = z.object({
  enabled: tolerantBoolean.optional(),
  trustOption: text,
  sendTo: text,
  sendCc: text,
  sendFrom: text,
  smtpHost: text,
  smtpPort: tolerantInteger(0, 1_000_000).optional(),
  smtpUsername: text,
  smtpPassword: text,
  additionalProperties: z.record(z.string().max(2048), z.string().max(2048)).optional(),
})

function emailRoutes(editor: ConfigurationEditor, change: Change): readonly Route[] {
  const path = `${base}/email`
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle() {
        const { smtpPassword: _password, trustStore: _trustStore, ...shown } = editor.document.reporting.email
        return { status: 200, body: shown }
      },
    }),
    ...(['PUT', 'PATCH'] as const).map((method) =>
      route({
        method,
        path,
        permission: 'associates',
        body: emailBody,
        async handle({ body, caller }) {
          await change(caller.user, ({ email }) => ({
            email: checkBody<EmailSettings>(emailSettingsSchema, {
              ...(method === 'PATCH' ? email : { smtpPassword: email.smtpPassword }),
              ...body,
              trustStore: email.trustStore,
            }),
          }))
          return { status: 204 }
        },
      }),
    ),
  ]
}

function emailTrustRoutes(editor: ConfigurationEditor, change: Change): readonly Route[] {
  const path = `${base}/email/truststore`
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: () => ({
        status: 200,
        body: { trustedEmailCertificates: editor.document.reporting.emailTrust.certificates.map(describeTrusted) },
      }),
    }),
    ...trustStoreRoutes({
      path: `${path}/certificates`,
      prefix: 'trustedemailserver',
      read: () => editor.document.reporting.emailTrust,
      change: (user, edit) => change(user, ({ emailTrust }) => ({ emailTrust: edit(emailTrust) })),
    }),
  ]
}

function auditLogRoutes(editor: ConfigurationEditor, change: Change): readonly Route[] {
  const path = `${base}/auditLog`
  const ofSubaccount = `${path}/subaccounts/:regionHost/:subaccount`
  const level = z.enum(['OFF', 'SECURITY', 'ALL'])
  const keyOf = ({ regionHost = '', subaccount = '' }: Readonly<Record<string, string>>): { regionHost: string; subaccount: string } => ({
    regionHost,
    subaccount,
  })
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: () => ({ status: 200, body: { ...editor.document.reporting.auditLog, logPath: 'audit' } }),
    }),
    route({
      method: 'PATCH',
      path,
      permission: 'administrators',
      body: z.object({ level: level.optional(), cleanup: tolerantInteger(0, 365).optional() }),
      async handle({ body, caller }) {
        if (body.level === undefined && body.cleanup === undefined) throw invalidRequest('level or cleanup is needed')
        await change(caller.user, ({ auditLog }) => ({ auditLog: checkBody(auditLogSettingsSchema, { ...auditLog, ...body }) }))
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: ofSubaccount,
      permission: 'all',
      handle: ({ params }) => ({ status: 200, body: { level: findSubaccount(editor.document, keyOf(params)).auditLevel } }),
    }),
    route({
      method: 'PATCH',
      path: ofSubaccount,
      permission: 'administrators',
      body: z.object({ level }),
      async handle({ body, caller, params }) {
        await editor.change(caller.user, (document) =>
          editSubaccount(document, keyOf(params), (entry) => ({ ...entry, auditLevel: body.level })),
        )
        return { status: 204 }
      },
    }),
  ]
}
