import type { KerberosSettings } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { maxPrincipalNameLength } from '../limits.ts'

/** A user as the KDC is asked for him: by principal, or by a name that only the KDC can resolve (RFC 6806, enterprise names). */
export interface UserPrincipal {
  readonly kind: 'principal' | 'enterprise'
  readonly name: string
}

/**
 * The principal of a user by the name that his token gives him. Names without realm get the one of the settings. What would name another kind of principal, or
 * one of another realm, is refused: a token must not turn into a ticket for a service or for somebody else's user.
 *
 * @throws ConnectivityError `PRINCIPAL_NOT_ISSUED`.
 */
export function readUserPrincipal(name: string, { realm, userDomains }: Pick<KerberosSettings, 'realm' | 'userDomains'>): UserPrincipal {
  if (name.length > maxPrincipalNameLength) throw refusal(`is longer than ${maxPrincipalNameLength} characters`)
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(name)) throw refusal('has control characters')
  if (/[\\/]/.test(name)) throw refusal('has a slash or backslash, as only services have')
  if (name.startsWith('-') || name !== name.trim()) throw refusal('begins with "-", or begins or ends with a blank')
  const at = name.indexOf('@')
  if (at === 0 || name === '') throw refusal('is empty')
  if (at < 0) return { kind: 'principal', name: `${name}@${realm}` }
  const domain = name.slice(at + 1)
  if (isSame(domain, realm)) return { kind: 'principal', name: `${name.slice(0, at)}@${realm}` }
  if (userDomains.some((known) => isSame(domain, known))) return { kind: 'enterprise', name }
  throw refusal(`is of another realm than ${realm}; name its domain among the user domains of the Kerberos settings if the KDC knows it`)
}

function isSame(domain: string, other: string): boolean {
  return domain.toLowerCase() === other.toLowerCase()
}

function refusal(why: string): ConnectivityError {
  return new ConnectivityError('PRINCIPAL_NOT_ISSUED', `the name of the user ${why}`)
}
