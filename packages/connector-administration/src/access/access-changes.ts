import type { AuditEntry } from '@sallyport/core'
import type { AccessSettings } from './access-settings.ts'

/** What of access is told to the audit log, under which category. Passwords, keys and certificates show as whether they changed. */
const areas: readonly (readonly [category: string, what: string, read: (settings: AccessSettings) => unknown])[] = [
  ['Authentication', 'UserName', ({ localUser }) => localUser?.name],
  ['Authentication', 'LdapEnabled', ({ ldap }) => ldap.enabled],
  ['Authentication', 'LdapServers', ({ ldap }) => ldap.stores.map(({ password: _password, ...store }) => store)],
  ['Authentication', 'LdapTrust', ({ ldap }) => ({ mode: ldap.trust.mode, certificates: ldap.trust.certificates.length })],
  ['UiSettings', 'CipherSuites', ({ ui }) => ui.cipherSuites],
  [
    'UiSettings',
    'ClientCertificates',
    ({ ui: { clientCertificates } }) => ({ ...clientCertificates, allowed: clientCertificates.allowed.length }),
  ],
]
const secrets: readonly (readonly [category: string, what: string, read: (settings: AccessSettings) => unknown])[] = [
  ['Authentication', 'Password', ({ localUser }) => localUser?.password],
  ['Authentication', 'LdapPasswords', ({ ldap }) => ldap.stores.map(({ password }) => password)],
  ['UiSettings', 'UiCertificate', ({ ui }) => ui.certificate],
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
