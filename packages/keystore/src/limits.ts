/** A certificate file or key store, in bytes. A complete public trust store is about 250 KiB, an ordinary key store below 20. */
export const maxKeystoreBytes = 524_288

/** Certificates in one file. Public trust stores have about 150. */
export const maxCertificates = 500

/** Private keys in one file. People put one there, some a handful; each is compared with each certificate. */
export const maxPrivateKeys = 50

/** One certificate or private key, in bytes of DER. Real ones are below 4 KiB. */
export const maxDerBytes = 65_536

/** RSA keys, in bits. A larger one would hold up the process for seconds with every signature. */
export const maxRsaBits = 8192

/** A password, in characters. */
export const maxPasswordCharacters = 1024

/**
 * Iterations of PBKDF2 spent on one file, over all its parts. Each takes about 0.4 µs of a thread of its own, so that the largest file keeps one busy for a second.
 * JDKs write 10,000, careful people 600,000. Beyond it the file is refused before any of the work is done.
 */
export const maxPbkdf2Iterations = 2_000_000

/** Iterations of the older key derivation of PKCS #12 spent on one file; each takes about 4 µs, with turns for others in between. JDK 12 to 15 need 350,000. */
export const maxPkcs12Iterations = 400_000

/** The share of these iterations that a brief look may take: 25,000 of the older ones are enough for what OpenSSL and current JDKs write. */
export const briefShare: number = 1 / 16

/** Salts and keys that a file asks for, in bytes; 8 to 20 and at most 64 are usual. */
export const maxSaltBytes = 1024
export const maxDerivedKeyBytes = 64

/** Iterations of that older derivation after which others have their turn: about 5 ms. */
export const iterationsPerTurn = 1_000

/** Levels of nested ASN.1 elements, and of bags within bags. Real files have about ten. */
export const maxAsn1Depth = 32

/** Iterations that we write, as JDK 17 does. The passwords protect files which are sealed where we keep them. */
export const writtenIterations = 10_000
