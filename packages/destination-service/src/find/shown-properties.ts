import { type DestinationRecord, isSecretProperty } from '@sallyport/admin-api'

/**
 * The properties as find and consume show them: what was stored, except that clients which insist on it see an HTTP destination's `Authentication` and
 * `ProxyType` also where the default was meant, and no empty location ID.
 */
export function shownProperties(stored: DestinationRecord, options: { readonly skipCredentials: boolean }): DestinationRecord {
  const shown: Record<string, string> =
    stored.Type === 'HTTP' ? { ProxyType: 'Internet', Authentication: 'NoAuthentication', ...stored } : { ...stored }
  if (shown['CloudConnectorLocationId'] === '') delete shown['CloudConnectorLocationId']
  if (options.skipCredentials) for (const key of Object.keys(shown).filter(isSecretProperty)) delete shown[key]
  return shown as DestinationRecord
}
