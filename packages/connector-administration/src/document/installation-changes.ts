import { createHash } from 'node:crypto'
import type { AuditEntry } from '@sallyport/core'
import type { AdministeredDocument } from './administered-document.ts'
import { type AdministeredSubaccount, isSubaccount } from './administered-subaccount.ts'
import { type AuditedArea, changedAreas } from './changed-areas.ts'
import type { CertificateSlot } from './on-premises.ts'

/** What of the document is of the installation as a whole. */
const areas: readonly AuditedArea<AdministeredDocument>[] = [
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
  [
    'KerberosConfiguration',
    'Kerberos',
    ({ onPremises: { kerberos } }) => kerberos && { ...kerberos, keytab: fingerprint(kerberos.keytab) },
  ],
  ['AdvancedConnectivity', 'Connectivity', ({ connectivity }) => connectivity],
  // Whose certificates are trusted there is as much a change as where it is.
  ['Configuration', 'CustomRegions', ({ regions }) => regions.map((region) => ({ ...region, authority: fingerprint(region.authority) }))],
  ['AlertConfiguration', 'Alerting', ({ reporting }) => reporting.alerting],
  ['EMailConfiguration', 'EMail', ({ reporting: { email } }) => ({ ...email, smtpPassword: fingerprint(email.smtpPassword) })],
  ['EMailConfiguration', 'EMailTrustStore', ({ reporting }) => reporting.emailTrust.certificates.map(({ alias }) => alias)],
  ['CrossAuditLogLevel', 'AuditLogLevel', ({ reporting }) => reporting.auditLog.level],
  ['AuditLogCleanup', 'AuditLogCleanup', ({ reporting }) => reporting.auditLog.cleanup],
  ['CloudConnectorLoggers', 'SccLogLevel', ({ logAndTrace }) => logAndTrace.sccLogLevel],
  ['OtherLoggers', 'OtherLogLevel', ({ logAndTrace }) => logAndTrace.otherLogLevel],
  ['TlsTrace', 'TlsTrace', ({ logAndTrace }) => logAndTrace.tlsTrace],
  ['CPICTrace', 'CpicTraceLevel', ({ logAndTrace }) => logAndTrace.cpicTraceLevel],
  ['Configuration', 'TraceFiles', ({ logAndTrace: { cleanup, rolloverThreshold } }) => ({ cleanup, rolloverThreshold })],
  ['Configuration', 'LoginInformation', ({ loginInformation }) => loginInformation],
  ['ApplicationConfiguration', 'SolutionManagement', ({ solutionManagement }) => solutionManagement],
  ['Account', 'Subaccounts', ({ subaccounts }) => subaccounts.map(({ regionHost, subaccount }) => `${subaccount}@${regionHost}`)],
]

/** The same of one subaccount, as far as the connector itself does not tell it. */
const subaccountAreas: readonly AuditedArea<AdministeredSubaccount>[] = [
  ['PayloadTrace', 'TrafficTrace', ({ traces }) => traces.trafficTrace],
  ['PayloadSncTrace', 'PayloadSncTrace', ({ traces }) => traces.payloadSncTrace],
]

/**
 * Lines of the audit log for what the connector does not tell itself: whatever no single subaccount owns, and traces of subaccounts. Secrets show as whether they
 * changed. Nothing while that part of the audit log is off, but that it has been switched off.
 */
export function installationChanges(before: AdministeredDocument, after: AdministeredDocument, user: string): readonly AuditEntry[] {
  const isSilent = before.reporting.auditLog.level === 'OFF' && after.reporting.auditLog.level === 'OFF'
  return [...(isSilent ? [] : changedAreas(areas, { before, after, user })), ...traceChanges(before, after, user)]
}

function traceChanges(before: AdministeredDocument, after: AdministeredDocument, user: string): readonly AuditEntry[] {
  return after.subaccounts.flatMap((entry) => {
    const known = before.subaccounts.find((each) => isSubaccount(each, entry))
    if (known === undefined || entry.auditLevel === 'OFF') return []
    const changes = changedAreas(subaccountAreas, { before: known, after: entry, user })
    return changes.map((change) => ({ ...change, subaccount: entry.subaccount }))
  })
}

function tellCertificate({ current, requestedKey }: CertificateSlot): unknown {
  return { certificate: fingerprint(current?.certificate), requested: fingerprint(requestedKey) }
}

/** Tells two values apart, and nothing else. */
function fingerprint(secret: string | undefined): string | undefined {
  return secret === undefined ? undefined : createHash('sha256').update(secret).digest('hex').slice(0, 12)
}
