/** From the first request that needs a connection to an open stream, TLS included. What the dials through a proxy allow. */
export const connectTimeoutMs = 30_000

/** Wait for the head of an answer. The connector's own read limits are shorter; this one only ends what nobody else ends. */
export const answerTimeoutMs = 300_000

/** Wait for the next piece of a body. */
export const bodyTimeoutMs = 300_000

/** Largest head of an answer. Backends set large cookies; two tokens of 8 KiB and a dozen cookies fit. */
export const maxHeadBytes: number = 64 * 1024

/** Connections to one target for one principal at a time; further requests wait. Each is a stream of the tunnel and a connection of the backend. */
export const maxConnections = 50

/** Principals whose connections are kept apart and kept open; the one that was not used for longest has to open new ones. */
export const maxPrincipals = 200

/** Idle connections are closed after this time: shorter than the keep-alive of common backends (5 s and more), so that a request seldom meets a closing one. */
export const idleConnectionMs = 4000

/** A request target, so that the request line stays below the 8192 bytes that connectivity proxies take. */
export const maxTargetBytes = 8000

/** Repetitions of a safe request whose connection broke before an answer came; an idle connection that the backend just closed is the usual reason. */
export const maxRepetitions = 2

/** Pause before the first repetition; the second waits twice as long. */
export const repetitionPauseMs = 100

/** A token that expires within this time is fetched anew before a request: it has a way to go. */
export const renewalMarginMs = 5000

/** Of the body of a refusal that is not shown to the caller. A longer one costs the connection. */
export const maxDiscardedBytes: number = 64 * 1024

/** Sessions with CSRF tokens of one pool: senders that name themselves by headers of their own. The oldest has to be opened anew. */
export const maxCsrfSessions = 200

/** The look-up of a new token; what the destination client allows with its repetitions, and some time more. */
export const renewalTimeoutMs = 15_000
