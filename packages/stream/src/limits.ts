/** A library connects to its private socket in the same turn; later it never will. */
export const bridgeAcceptMs = 10_000

/** Longest path of a Unix socket on every system (macOS has 104 bytes with the end mark). */
export const maxSocketPathBytes = 103
