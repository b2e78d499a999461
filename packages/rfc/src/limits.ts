/** From the first call that needs a connection to one that is logged on. What the dials through a proxy allow. */
export const connectTimeoutMs = 30_000

/** An idle connection that has to prove that it lives, or whose session is cleared, answers within this time or is closed. Both are one round trip. */
export const checkMs = 5000

/** Calls that wait for a connection at `peak_limit`; one more fails at once. Whatever waits for that many others has no chance in its 30 seconds. */
export const maxWaiters = 10_000

/** After the goodbye of a connection its stream is ended by force, for a far side that does not end its own. */
export const goodbyeMs = 2000

/** What may lie unsent in a stream besides a record of a call: answers to pings of a peer that does not read them. More ends the connection. */
export const maxUnsentBytes: number = 1024 * 1024

/** Longest password that the classic logon carries. Longer ones are refused before anything is opened. */
export const maxPasswordBytes = 40

/** Descriptions of function modules that a client keeps. The least recently used is forgotten and looked up again when it is needed. */
export const maxFunctionDescriptions = 1000

/** Looking up one function module with all of its types, the logon of a repository user included; systems may have to generate a WSDL. */
export const repositoryTimeoutMs = 60_000

/** Structures and table types of one function module. The largest interfaces of standard functions have about 200; more is an error of the call. */
export const maxFunctionTypes = 1000

/** How deep types are nested in one another. The dictionary's own are four or five deep; deeper ones are an error of the call. */
export const maxTypeDepth = 20

/** Answer to a SOAP call or look-up, which is held as a whole. A table of a hundred thousand short rows fits. */
export const maxAnswerBytes: number = 64 * 1024 * 1024

/** Elements of such an answer: an empty one takes four bytes on the wire and some hundred in memory. */
export const maxXmlElements = 2_000_000

/** Elements inside each other. Types of ABAP are nested some levels deep. */
export const maxXmlDepth = 64

/** Connections to the local proxy that leads node-rfc to a WebSocket: one is for the library, the others are somebody's mistakes. */
export const maxLocalConnections = 4
