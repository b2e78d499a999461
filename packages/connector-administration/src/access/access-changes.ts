import { createHash } from 'node:crypto'
import type { AuditEntry } from '@sallyport/core'
import { type AuditedArea, changedAreas, configurationChange } from '../document/changed-areas.ts'
import type { CertificateSlot } from '../document/on-premises.ts'
import type { AccessSettings } from './access-settings.ts'

/** What of access is told to the audit log. */
const areas: readonly AuditedArea<AccessSettings>[] = [
  ['SCCUser', 'UserName', ({ localUser }) => localUser?.name],
  ['LDAPConfiguration', 'LdapEnabled', ({ ldap }) => ldap.enabled],
  ['LDAPConfiguration', 'LdapServers', ({ ldap }) => ldap.stores.map(({ password: _password, ...store }) => store)],
  ['LDAPConfiguration', 'LdapTrust', ({ ldap: { trust } }) => ({ mode: trust.mode, certificates: trust.certificates.map(fingerprint) })],
  ['UiCertificate', 'UiCertificate', ({ ui }) => tellCertificate(ui.certificate)],
  ['Configuration', 'CipherSuites', ({ ui }) => ui.cipherSuites],
  [
    'Configuration',
    'ClientCertificates',
    ({ ui: { clientCertificates } }) => ({ ...clientCertificates, allowed: clientCertificates.allowed.map(fingerprint) }),
  ],
]

/** What shows as whether it has changed. */
const secrets: readonly AuditedArea<AccessSettings>[] = [
  ['SCCPassword', 'Password', ({ localUser }) => localUser?.password],
  ['LDAPConfiguration', 'LdapPasswords', ({ ldap }) => ldap.stores.map(({ password }) => password)],
  // Its certificate may be of before, while the next one is on its way.
  ['UiCertificate', 'UiCertificateRequest', ({ ui }) => ui.certificate.requestedKey],
]

/** Lines of the audit log for a change. */
export function accessChanges(before: AccessSettings, after: AccessSettings, user: string): readonly AuditEntry[] {
  const hidden = secrets.filter(([, , read]) => JSON.stringify(read(before)) !== JSON.stringify(read(after)))
  return [
    ...changedAreas(areas, { before, after, user }),
    ...hidden.map(([category, what]) => configurationChange(category, user, `User ${user} changed ${what}`)),
  ]
}

function tellCertificate({ current }: CertificateSlot): string | undefined {
  return current && fingerprint(current.certificate)
}

/** SHA-256 of the first certificate of a PEM text, as tools for certificates show it; of the text when there is none. */
function fingerprint(pem: string): string {
  const encoded = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/.exec(pem)?.[1]
  const digest = createHash('sha256')
    .update(encoded === undefined ? pem : Buffer.from(encoded, 'base64'))
    .digest('hex')
  return digest.toUpperCase().match(/../g)?.join(':') ?? digest
}
