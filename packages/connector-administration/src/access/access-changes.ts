import { createHash } from 'node:crypto'
import type { AuditEntry } from '@sallyport/core'
import type { CertificateSlot } from '../document/on-premises.ts'
import type { AccessSettings } from './access-settings.ts'

/** What of access is told to the audit log: the original's category (cloud-connector.md §7.1), its name, and what may be told of it. */
const areas: readonly (readonly [category: string, what: string, read: (settings: AccessSettings) => unknown])[] = [
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
const secrets: readonly (readonly [category: string, what: string, read: (settings: AccessSettings) => unknown])[] = [
  ['SCCPassword', 'Password', ({ localUser }) => localUser?.password],
  ['LDAPConfiguration', 'LdapPasswords', ({ ldap }) => ldap.stores.map(({ password }) => password)],
  // Its certificate may be of before, while the next one is on its way.
  ['UiCertificate', 'UiCertificateRequest', ({ ui }) => ui.certificate.requestedKey],
]

/** Lines of the audit log for a change. */
export function accessChanges(before: AccessSettings, after: AccessSettings, user: string): readonly AuditEntry[] {
  const entry = (category: string, message: string): AuditEntry => ({
    type: 'configuration-changed',
    category,
    subaccount: '',
    user,
    message,
  })
  const lines: AuditEntry[] = []
  for (const [category, what, read] of areas) {
    const [was, is] = [JSON.stringify(read(before)) ?? '{}', JSON.stringify(read(after)) ?? '{}']
    if (was !== is) lines.push(entry(category, `User ${user} changed parameter ${what} from ${was} to ${is}`))
  }
  for (const [category, what, read] of secrets) {
    if (JSON.stringify(read(before)) !== JSON.stringify(read(after))) lines.push(entry(category, `User ${user} changed ${what}`))
  }
  return lines
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
