import type { PrincipalType } from '@sallyport/admin-api'

/**
 * What becomes of a principal on a mapping: a certificate or a ticket in its name; an empty certificate header, so that the backend logs nobody on by the
 * connector's own certificate; or nothing at all.
 */
export type PrincipalUse = 'certificate' | 'ticket' | 'empty-header' | 'nothing'

/** Decides it by the principal type of the mapping. A token where nothing is propagated is ignored. */
export function principalUseOf(principalType: PrincipalType, hasPrincipal: boolean): PrincipalUse {
  if (hasPrincipal && (principalType === 'X509_GENERAL' || principalType === 'X509_RESTRICTED')) return 'certificate'
  if (hasPrincipal && principalType === 'KERBEROS') return 'ticket'
  return principalType === 'X509_RESTRICTED' || principalType === 'NONE_RESTRICTED' ? 'empty-header' : 'nothing'
}
