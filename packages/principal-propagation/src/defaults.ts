/**
 * Values that the original does not document, and that we therefore chose. They stand here together so that finding out better is one change.
 */

/** Whether an issuer counts as trusted from its first synchronisation on: the subaccount already decided to trust it, and without it nobody gets through. */
export const isTrustedByDefault = (issuer: { readonly type: string }): boolean => issuer.type === 'OAUTH2' || issuer.type === 'OIDC'

/** `ppSettings` of a new installation, as its dialogs show them. */
export const defaultToleranceHours = 2
export const defaultValidityMinutes = 60

/** How far `nbf` and `iat` of a token may be ahead of the connector's clock. */
export const notBeforeToleranceSeconds = 60

/** Certificates are valid from this long before they were issued, for backends whose clock is late. */
export const certificateSkewMs = 300_000

/** A cached certificate is given up when this part of its validity is left, so that a backend never gets one that is about to expire. */
export const reuseReserve = 0.1

/** Key size and validity of authorities that are created here, as the original's administration has them. */
export const defaultAuthorityRsaBits = 4096
export const defaultAuthorityValidityDays = 365
