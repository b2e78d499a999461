/** First TCP keep-alive probe where the destination asks for keep-alive. Firewalls forget idle connections after some minutes. */
export const keepAliveDelayMs = 60_000

/** From a connection to the forwarded port to an open stream; what the dials through a proxy allow. */
export const forwardTimeoutMs = 30_000

/** Connections through one forwarded port at a time; further ones are closed at once. Each is a stream of the tunnel and a connection of the backend. */
export const maxForwardedConnections = 1000

/** Longest inactivity timeout; Node's timers end here. */
export const maxIdleMs = 2_147_483_647
