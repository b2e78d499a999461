/** From the first byte dialled to a session that is logged on: dial, TLS, greeting and logon together. `mail.pop3.connectiontimeout` of the destination wins. */
export const connectTimeoutMs = 60_000

/** Silence while an answer is awaited. RFC 1939 lets servers log out idle clients after ten minutes, and large mailboxes are counted for minutes. `mail.pop3.timeout` wins. */
export const answerTimeoutMs = 600_000

/** Longest line of an answer. RFC 2449 §4 has 512 octets; unique-ids and banners of real servers are longer. Lines of messages have no limit. */
export const maxLineBytes: number = 8 * 1024

/** Longest command line with its end, RFC 2449 §4. */
export const maxCommandBytes = 255

/** A list of the mailbox: a million messages with unique-ids of 70 characters, more than servers serve. */
export const maxListingBytes: number = 80 * 1024 * 1024

/** Capabilities of a server; real ones send some hundred bytes. */
export const maxCapabilitiesBytes: number = 64 * 1024

/** Largest message. They are streamed, so this only ends what would never end. The option `maxMessageBytes` wins. */
export const maxMessageBytes: number = 4 * 1024 * 1024 * 1024
