const dayMs = 86_400_000

/** A pairing code is read aloud or pasted; a quarter of an hour is enough for either. */
export const pairingCodeLifetimeMs = 900_000
/** Twenty letters of 5 bits: nobody guesses 100 bits in a quarter of an hour. */
export const pairingCodeLetters = 20
/** Unused codes of one subaccount at a time. One more is refused. */
export const maxOpenPairingCodes = 100

/** Characters of a name in the audit log that nobody has shown to be theirs: IDs have 36, most addresses fewer than 64. */
export const maxClaimedNameLength = 64

/** Attempts to pair per source address and minute, and of all together. More are answered with 429 before anything is looked at. */
export const maxAttemptsPerSource = 10
export const maxAttemptsInTotal = 200
export const attemptWindowMs = 60_000

/** Life of a connector's certificate, as with the original; its clock may be an hour behind. */
export const certificateLifetimeMs: number = 365 * dayMs
export const certificateBackdatingMs = 3_600_000

/** Life of the authority that signs connectors, and what must be left of it so that it outlives what it signs: then a successor signs instead. */
export const authorityLifetimeMs: number = 10 * 365 * dayMs
export const authorityRemainderMs: number = 2 * 365 * dayMs

/** A pairing request has a certification request of a few kB and short texts. Overflow: 413. */
export const maxApiBodyBytes = 65_536
/** Whoever sends a request slower than this is cut off. */
export const apiRequestTimeoutMs = 30_000
export const maxApiConnections = 1000
