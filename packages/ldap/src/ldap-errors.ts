import { ConnectivityError, type ErrorCode, foreignText } from '@sallyport/core'
import type { LdapResult } from './ldap-message.ts'

/** Result codes of RFC 4511 Appendix A that mean more than "refused". */
const codes: Readonly<Record<number, ErrorCode>> = {
  3: 'BACKEND_TIMEOUT',
  7: 'LOGON_REFUSED',
  8: 'OPERATION_FORBIDDEN',
  13: 'OPERATION_FORBIDDEN',
  32: 'NOT_FOUND',
  48: 'LOGON_REFUSED',
  49: 'LOGON_REFUSED',
  50: 'OPERATION_FORBIDDEN',
  51: 'SERVICE_UNAVAILABLE',
  52: 'SERVICE_UNAVAILABLE',
}

/** The standard's names, for people who read the message. */
const names: Readonly<Record<number, string>> = {
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  4: 'sizeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  12: 'unavailableCriticalExtension',
  13: 'confidentialityRequired',
  16: 'noSuchAttribute',
  17: 'undefinedAttributeType',
  19: 'constraintViolation',
  20: 'attributeOrValueExists',
  21: 'invalidAttributeSyntax',
  32: 'noSuchObject',
  34: 'invalidDNSyntax',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  64: 'namingViolation',
  65: 'objectClassViolation',
  66: 'notAllowedOnNonLeaf',
  67: 'notAllowedOnRDN',
  68: 'entryAlreadyExists',
  71: 'affectsMultipleDSAs',
  80: 'other',
}

/**
 * A result that is no success. `details` keeps `resultCode`, `matchedDn`, `diagnosticMessage` and, where the data is
 * elsewhere, `referrals` (URLs with blanks in between); nobody follows them. `secret` is cut out of what the server says.
 */
export function resultError(attempt: string, result: LdapResult, secret?: string): ConnectivityError {
  const own = (text: string): string => foreignText(text, secret === undefined ? [] : [secret])
  const diagnostic = own(result.diagnosticMessage)
  const name = names[result.resultCode] ?? 'result'
  return new ConnectivityError(
    codes[result.resultCode] ?? 'OPERATION_REFUSED',
    `${attempt}: ${name} (${result.resultCode})${diagnostic === '' ? '' : `: "${diagnostic}"`}`,
    {
      details: {
        resultCode: result.resultCode,
        matchedDn: own(result.matchedDn),
        diagnosticMessage: diagnostic,
        ...(result.referrals.length === 0 ? {} : { referrals: own(result.referrals.join(' ')) }),
      },
    },
  )
}

/** Bytes that are not LDAP, or no answer to what was asked. */
export function violationError(attempt: string, what: string): ConnectivityError {
  return new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: ${what}; is this the port of a directory, with or without TLS?`)
}

/** No answer within the limit of the destination. */
export function timeoutError(attempt: string, timeoutMs: number): ConnectivityError {
  return new ConnectivityError('BACKEND_TIMEOUT', `${attempt}: no answer in ${timeoutMs} ms`)
}

/** What the library would not send. Its own words may quote values, so they are kept for searches only. */
export function unsendableError(attempt: string, cause: unknown): ConnectivityError {
  return new ConnectivityError(
    'MESSAGE_INVALID',
    `${attempt}: this request cannot be written; check filter, names and values`,
    cause === undefined ? {} : { cause },
  )
}

/** For whoever uses a client after it was disposed. */
export function closedError(name: string): ConnectivityError {
  return new ConnectivityError('ABORTED', `the client of destination "${name}" is closed`)
}
