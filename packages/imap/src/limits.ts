/** From the first byte dialled to a connection that is logged on: dial, TLS, greeting and logon together. `mail.imap4.connectiontimeout` of the destination wins. */
export const connectTimeoutMs = 60_000

/** Silence of the server while an answer is awaited, as imapflow measures it; it asks idle connections by NOOP. `mail.imap4.timeout` wins. */
export const answerTimeoutMs = 600_000

/** A server that has been told goodbye answers at once; after this time the connection is dropped. */
export const goodbyeMs = 1000

/** Connections logged on with a token are replaced so long before it expires, at their next use: servers end sessions with it. */
export const tokenMarginMs = 60_000

/** Longest greeting of a server, its capabilities included; real ones have some hundred bytes. */
export const maxGreetingBytes: number = 8 * 1024
