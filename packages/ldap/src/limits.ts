/** From the first operation that needs a connection to one that is bound: dial, TLS and bind together. What the dials through a proxy allow. `ldap.connectTimeout` of the destination wins. */
export const connectTimeoutMs = 30_000

/** Wait for the answer to one request; a search in pages has it for every page. Directories answer in milliseconds unless an index is missing. `ldap.timeout` of the destination wins. */
export const operationTimeoutMs = 60_000

/** Largest message of a server. A photograph or a list of certificates fits; a group of some hundred thousand members does too. */
export const maxMessageBytes: number = 16 * 1024 * 1024

/** Everything that answers one request, because both libraries hold a whole answer. Larger results are asked for in pages. */
export const maxAnswerBytes: number = 64 * 1024 * 1024

/** Entries, attributes and values in the answer to one request: an empty value takes two bytes on the wire and a hundred in memory. */
export const maxAnswerElements = 1_000_000

/** Connections of one client at a time, each with one operation; further operations wait. Each is a stream of the tunnel and a connection of the directory. */
export const maxConnections = 10

/** Idle connections are closed after this time, before firewalls forget them and directories close them on their own account. */
export const idleConnectionMs = 60_000

/** A server that has been told goodbye closes at once; after this time the connection is dropped. */
export const goodbyeMs = 1000
