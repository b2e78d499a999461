/**
 * How long a statement waits for another process that is writing. Long enough for a backup or a migration of small tables, short enough that a stuck
 * neighbour shows up as an error; the wait blocks the thread, so it must not grow.
 */
export const busyTimeoutMs = 5_000

/** How soon a process asks again that is not let wait for a lock: a switch to the write-ahead log takes about a millisecond. */
export const busyPauseMs = 5

/** Parsed statements that are kept: more than a service has, although lists of names make one statement per length. */
export const maxKeptStatements = 200

/** AES-256-GCM: 256-bit key, 96-bit random nonce, 128-bit tag (NIST SP 800-38D; at most 2^32 seals per key keep nonce collisions negligible). */
export const sealKeyBytes = 32
export const sealNonceBytes = 12
export const sealTagBytes = 16

/** Bytes of the key's digest that name it inside a sealed text: enough to tell a handful of keys apart, too few to help anybody. */
export const sealKeyIdBytes = 6

/**
 * Connections of one process to PostgreSQL, how long to wait for one, and for a statement. Ten connections do the work of a process; a server admits a
 * hundred. Statements of services take milliseconds; what takes 15 s waits for a lock that somebody else does not give back.
 */
export const postgresDefaults = { maxConnections: 10, connectTimeoutMs: 5_000, statementTimeoutMs: 15_000 } as const

/** How much longer than the server itself we wait for the end of a statement: the way there and back. After that the server is taken for dead. */
export const clientPatienceMs = 5_000

/** An idle connection is given back after half a minute, and none is used for longer than an hour, so that load moves after a fail-over. */
export const connectionIdleMs = 30_000
export const connectionLifeSeconds = 3_600

/** When the system begins to ask a silent server whether it is still there: below the five minutes after which firewalls forget a connection. */
export const keepAliveDelayMs = 60_000

/** The oldest PostgreSQL that is tested, as its `server_version_num`. */
export const oldestPostgres = 150_000

/** Keys of subaccounts that are held opened: all that are busy, at some hundred bytes each. */
export const maxKeptDataKeys = 10_000

/** Rows that a job over a whole table reads at once: few enough to hold in memory with their sealed texts, many enough that the way to the server does not count. */
export const rowsPerWalk = 500

/** Length of an archive's first line: some hundred bytes, which are read before anything can be checked. */
export const maxArchiveHeaderBytes = 4_096

/** Content of an archive that is encrypted as one piece: held in memory as a whole. */
export const archivePieceBytes = 262_144

/** scrypt with N = 2^17, r = 8, p = 1 (OWASP): 128 MiB and about half a second per guess of a backup's password. An archive may ask for eight times that. */
export const scryptCost = 17
export const maxScryptCost = 20

/**
 * How long opened keys of a subaccount are used before they are asked for again: what a customer who takes a key back has to wait at most, and how soon a
 * process notices that the keys were changed elsewhere. One call to a key management system per minute, process and subaccount is little for it.
 */
export const defaultKeyAgeMs = 60_000

/** How soon a key management system is asked again that has refused or not answered; the requests in between are refused at once. */
export const keyRetryMs = 5_000

/** How long a key management system may take. Requests wait for it, but only after the keys have not been used for a while. */
export const keySystemTimeoutMs = 5_000

/** One line of an archive. The largest row is an entity of a megabyte whose sealed text is a third longer, with what is hidden of it; files are smaller. */
export const maxArchiveLineBytes = 16_777_216
