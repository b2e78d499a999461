/** DER of one certificate, in bytes. Real ones are below 4 KiB; a chain with many alternative names stays below 16. */
export const maxCertificateBytes = 65_536

/** DER of one certification request, in bytes. A 4096-bit RSA request is 1.6 KiB; alternative names may add some. */
export const maxRequestBytes = 16_384

/** PEM text that may hold several certificates, in characters: a complete public trust store is about 250 KiB. */
export const maxPemCharacters = 1_048_576

/** Certificates in one PEM text. Public trust stores have about 150. */
export const maxPemCertificates = 500

/** Attributes of one distinguished name. People use up to ten; domain components may add some. */
export const maxNameAttributes = 32

/**
 * One attribute value in bytes of UTF-8. RFC 5280 appendix A.1 suggests 64 characters for most attributes, but no verifier enforces it and e-mail addresses
 * (254 characters) are used as common names, so the bound only keeps certificates small.
 */
export const maxNameValueBytes = 1024

/** Text form of a name, in characters: {@link maxNameAttributes} values of ordinary length with escapes. */
export const maxNameCharacters = 16_384

/** Alternative names in one certificate, and bytes of each: a DNS name has at most 253, a URI of ours fewer than 1024. */
export const maxAlternativeNames = 100
export const maxAlternativeNameBytes = 1024

/** RFC 5280 §4.1.2.2: serial numbers have at most 20 octets. */
export const maxSerialNumberBytes = 20

/** RSA keys, in bits: below is breakable, above only costs time of whoever verifies. */
export const minRsaBits = 2048
export const maxRsaBits = 8192

/** Largest public exponent taken from strangers; 65537 is usual. A huge one would make every verification slow. */
export const maxRsaExponent = 0xffff_ffffn
