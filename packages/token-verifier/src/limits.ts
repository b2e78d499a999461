/** Characters of a key id. Real ones have up to 60; the bound keeps log fields and map keys small. */
export const maxKeyIdCharacters = 256

/** Characters of an issuer: it is a URL. */
export const maxIssuerCharacters = 2048

/** Keys of one issuer; during a rotation there are two or three. What is beyond is ignored. */
export const maxKeysPerIssuer = 64

/** RSA moduli as base64url text: 8192 bits are 1366 characters. Larger ones make each verification slow. */
export const maxModulusCharacters = 1366

/** RSA public exponents as base64url text: 32 bits are 6 characters; 65537 is 4. */
export const maxExponentCharacters = 6

/** Tokens whose verification is under way at the same time; more are answered `unavailable` at once. */
export const maxPendingVerifications = 10_000

/** How often a verification starts again because keys changed while it ran. */
export const maxVerificationAttempts = 4

/**
 * How long keys are used after the last successful fetch while their server does not answer. A day bridges an outage over a night;
 * tokens live up to twelve hours, so a longer wait would serve nobody.
 */
export const defaultMaxStaleMs = 86_400_000
