/** One connection from the dial to the end of the log-on: dial, TLS, greeting, STARTTLS and AUTH together. `mail.<p>.connectiontimeout` of the destination wins. */
export const connectTimeoutMs = 60_000

/** Wait for the greeting, within the time of the connection. Relays that look the client up in DNS first take half a minute. `mail.<p>.timeout` of the destination wins. */
export const greetingTimeoutMs = 60_000

/** Wait for any other answer, and for the server to take more of a message. What RFC 5321 §4.5.3.2.6 gives a server after the last line. `mail.<p>.timeout` of the destination wins. */
export const answerTimeoutMs = 600_000

/** Connections of one client at a time, each with one message; further messages wait. Each is a stream of the tunnel and a connection of the server. */
export const maxConnections = 5

/** Messages over one connection; relays end connections that never end. */
export const maxMessagesPerConnection = 100

/** Idle connections are closed after this time, so that no stream of the tunnel is kept for nobody. Below the five minutes that RFC 5321 §4.5.3.2.7 asks of servers. */
export const idleConnectionMs = 60_000

/** A connection that has been idle for longer is asked whether it is still there before a message is begun over it: servers end idle connections, and nothing is sent twice. */
export const freshMs = 1000

/** A server that has been told goodbye answers at once; after this time the connection is dropped. */
export const goodbyeMs = 1000

/** Largest answer of a server, all of its lines. The longest in use, those to EHLO, have some hundred bytes. */
export const maxAnswerBytes: number = 64 * 1024
