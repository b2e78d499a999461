/** One call to the token or destination service, answer included. The released clients wait as long. */
export const callTimeoutMs = 10_000

/** To a connection, TLS included. The documented advice is a couple of seconds; three attempts of three seconds fit into one call. */
export const connectTimeoutMs = 3000

/** Calls that may be repeated are made so often at most. Three bridge a restart of a replica; more only add load to an outage. */
export const maxAttempts = 3

/** Shortest pause before a repetition; the documented advice is at least 100 ms, increasing. */
export const retryPauseMs = 100

/** A circuit looks at so many calls, each with its repetitions. As many as the official client of the platform takes. */
export const circuitCalls = 10

/** So many of them failed: the circuit opens. Half of them, as there. */
export const circuitFailures = 5

/** How long an open circuit makes no call, as there. */
export const circuitOpenMs = 30_000

/** Circuits of one service, by tenant; the one that was not used for longest starts anew. */
export const maxCircuits = 1000

/** How long a found destination counts as fresh. The documented advice is three to five minutes. */
export const cacheMs: number = 5 * 60_000

/** How long an older one is used while the service fails. The documented advice is up to an hour where changes are not urgent. */
export const staleMs: number = 60 * 60_000

/** After a failure the older answer counts as fresh so long, so that not every call waits for a service that is down. */
export const outagePauseMs = 10_000

/** Kept destinations, by name, tenant and user; the one that was not used for longest goes first. */
export const maxCachedDestinations = 1000

/** Kept tokens, by tenant. */
export const maxCachedTokens = 1000

/** A token is renewed so long before it expires, so that it does not expire on its way. Short-lived ones after half of their life. */
export const tokenMarginMs = 60_000

/** Largest answer of a token service: three tokens of 64 KiB at most. */
export const maxTokenAnswerBytes: number = 256 * 1024

/** Largest answer for a destination. Key stores come inside, in Base64. */
export const maxDestinationAnswerBytes: number = 4 * 1024 * 1024

/** Head of any answer. */
export const maxHeadBytes: number = 32 * 1024

/** Sockets to one service. */
export const maxSockets = 32

/** Idle sockets are closed before the load balancers in front of the services do it, usually after 60 s. */
export const idleSocketMs = 20_000

/** Text of a foreign error that goes into ours. */
export const maxForeignTextLength = 200

/** `VCAP_SERVICES` and files of bindings. Platforms limit the environment of a process to less. */
export const maxBindingBytes: number = 1024 * 1024

/** Binding directories, and files in one of them. */
export const maxBindings = 200

/** One `connect` without a signal of the caller's: token, look-up and, where the protocol connects at once, the way to the target. */
export const connectByNameTimeoutMs = 30_000
