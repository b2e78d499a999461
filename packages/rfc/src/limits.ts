/** From the first call that needs a connection to one that is logged on. What the dials through a proxy allow. */
export const connectTimeoutMs = 30_000

/** An idle connection that has to prove that it lives, or whose session is cleared, answers within this time or is closed. Both are one round trip. */
export const checkMs = 5000

/** Calls that wait for a connection at `peak_limit`; one more fails at once. Whatever waits for that many others has no chance in its 30 seconds. */
export const maxWaiters = 10_000
