/** Issuers that one subaccount may trust. Real ones have one to five; a longer list is refused as a whole and the old one stays. */
export const maxTrustedIssuers = 100

/** Keys of one issuer in a trust list; during a rotation there are two or three. A longer list is refused. */
export const maxTrustedKeys = 64

/** Characters of an issuer, and of the display texts of an entry. */
export const maxIssuerCharacters = 2048
export const maxDisplayCharacters = 1024

/** Subject pattern rules of one connector, the default rule included; every new principal is held against all of them. */
export const maxSubjectRules = 100

/** Characters of one field of a subject pattern, and of a rule's description. */
export const maxPatternCharacters = 1024

/** Characters of a variable or of the value that a condition compares with. */
export const maxVariableCharacters = 200
export const maxConditionValueCharacters = 1024

/**
 * Characters of one attribute of a subject. RFC 5280 suggests 64 for most, but e-mail addresses (254) are used as common names and every reader takes them.
 * A longer value fails the request: a cut one might be somebody else's.
 */
export const maxSubjectValueCharacters = 256

/** Hours that a token may be expired and still be accepted, as the administration API bounds them. */
export const minToleranceHours = 1
export const maxToleranceHours = 336

/** Validity of issued certificates in minutes, as the administration API bounds it; the longest is 30 days. */
export const minValidityMinutes = 1
export const maxValidityMinutes = 43_200

/** Tokens whose verdict a connector remembers: as many users as work at the same time. About 4 KiB each. */
export const maxCachedTokens = 10_000

/** Bytes of a user token: it arrives in one header line of at most 8192 bytes. */
export const maxTokenBytes = 8192

/** Issued certificates that are kept for reuse. About 4 KiB each; the oldest ones give way. */
export const maxCachedCertificates = 10_000

/** Characters of a user name in a message. */
export const maxShownNameCharacters = 200
