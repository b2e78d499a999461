/**
 * How long a statement waits for another process that is writing. Long enough for a backup or a migration of small tables, short enough that a stuck
 * neighbour shows up as an error; the wait blocks the thread, so it must not grow.
 */
export const busyTimeoutMs = 5_000

/** Parsed statements that are kept: more than a service has, although lists of names make one statement per length. */
export const maxKeptStatements = 200

/** AES-256-GCM: 256-bit key, 96-bit random nonce, 128-bit tag (NIST SP 800-38D; at most 2^32 seals per key keep nonce collisions negligible). */
export const sealKeyBytes = 32
export const sealNonceBytes = 12
export const sealTagBytes = 16

/** Bytes of the key's digest that name it inside a sealed text: enough to tell a handful of keys apart, too few to help anybody. */
export const sealKeyIdBytes = 6
