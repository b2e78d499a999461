import { createHash } from 'node:crypto'
import type { AuditEntry } from '@sallyport/core'
import type { AdministeredDocument } from './administered-document.ts'
import type { CertificateSlot } from './on-premises.ts'

/** What of the document is of the installation as a whole: the original's category for the audit log, its name, and what may be told of it. */
const areas: readonly (readonly [category: string, what: string, read: (document: AdministeredDocument) => unknown])[] = [
  ['Configuration', 'Description', ({ connector }) => connector.description],
  ['Configuration', 'HaRole', ({ connector }) => connector.haRole],
  ['ProxySettings', 'HttpsProxy', ({ connector: { proxy } }) => proxy && { ...proxy, password: fingerprint(proxy.password) }],
  ['SystemCertificate', 'SystemCertificate', ({ onPremises }) => tellCertificate(onPremises.systemCertificate)],
  ['PpcaCertificate', 'PpcaCertificate', ({ onPremises }) => tellCertificate(onPremises.ppCaCertificate)],
  ['TrustedBackendCertificate', 'TrustStoreMode', ({ onPremises }) => ({ trustAllBackends: onPremises.trustAllBackends })],
  ['TrustedBackendCertificate', 'TrustedBackends', ({ onPremises }) => onPremises.trustedBackends.map(({ alias }) => alias)],
  [
    'PrincipalPropagationConfiguration',
    'PrincipalPropagation',
    ({ onPremises: { certificateValidityInMin, expirationToleranceInHr } }) => ({ certificateValidityInMin, expirationToleranceInHr }),
  ],
  ['PrincipalPropagationConfiguration', 'SubjectPatternRules', ({ onPremises }) => onPremises.subjectPatternRules],
  ['AdvancedConnectivity', 'Connectivity', ({ connectivity }) => connectivity],
  // Whose certificates are trusted there is as much a change as where it is.
  ['Configuration', 'CustomRegions', ({ regions }) => regions.map((region) => ({ ...region, authority: fingerprint(region.authority) }))],
  ['AlertConfiguration', 'Alerting', ({ reporting }) => reporting.alerting],
  ['EMailConfiguration', 'EMail', ({ reporting: { email } }) => ({ ...email, smtpPassword: fingerprint(email.smtpPassword) })],
  ['CrossAuditLogLevel', 'AuditLogLevel', ({ reporting }) => reporting.auditLog.level],
  ['AuditLogCleanup', 'AuditLogCleanup', ({ reporting }) => reporting.auditLog.cleanup],
  ['Account', 'Subaccounts', ({ subaccounts }) => subaccounts.map(({ regionHost, subaccount }) => `${subaccount}@${regionHost}`)],
]

/**
 * Lines of the audit log for a change of what no single subaccount owns; subaccounts tell their own changes. Secrets show as whether they changed. Nothing while
 * that part of the audit log is off, but that it has been switched off.
 */
export function installationChanges(before: AdministeredDocument, after: AdministeredDocument, user: string): readonly AuditEntry[] {
  if (before.reporting.auditLog.level === 'OFF' && after.reporting.auditLog.level === 'OFF') return []
  return areas.flatMap(([category, what, read]): readonly AuditEntry[] => {
    const [was, is] = [JSON.stringify(read(before)) ?? '{}', JSON.stringify(read(after)) ?? '{}']
    if (was === is) return []
    return [
      {
        type: 'configuration-changed',
        category,
        subaccount: '',
        user,
        message: `User ${user} changed parameter ${what} from ${was} to ${is}`,
      },
    ]
  })
}

function tellCertificate({ current, requestedKey }: CertificateSlot): unknown {
  return { certificate: fingerprint(current?.certificate), requested: fingerprint(requestedKey) }
}

/** Tells two values apart, and nothing else. */
function fingerprint(secret: string | undefined): string | undefined {
  return secret === undefined ? undefined : createHash('sha256').update(secret).digest('hex').slice(0, 12)
}
