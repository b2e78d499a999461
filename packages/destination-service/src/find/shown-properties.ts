import type { DestinationRecord } from '@sallyport/admin-api'

/** What `$skipCredentials` leaves out. */
const credentialKeys: ReadonlySet<string> = new Set([
  'Password',
  'clientSecret',
  'tokenServicePassword',
  'KeyStorePassword',
  'TrustStorePassword',
  'tokenService.KeyStorePassword',
  'mail.password',
  'ldap.password',
  'jco.client.passwd',
  'jco.client.tech_user_secret',
  'jco.destination.repository.passwd',
])

/**
 * The properties as find and consume show them: what was stored, except that clients which insist on it see an HTTP destination's `Authentication` and
 * `ProxyType` also where the default was meant, and no empty location ID.
 */
export function shownProperties(stored: DestinationRecord, options: { readonly skipCredentials: boolean }): DestinationRecord {
  const shown: Record<string, string> =
    stored.Type === 'HTTP' ? { ProxyType: 'Internet', Authentication: 'NoAuthentication', ...stored } : { ...stored }
  if (shown['CloudConnectorLocationId'] === '') delete shown['CloudConnectorLocationId']
  if (options.skipCredentials) for (const key of credentialKeys) delete shown[key]
  return shown as DestinationRecord
}
