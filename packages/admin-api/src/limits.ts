/** Bytes of a destination's property key and value, and characters of its name. The original documents the last one only; the others keep a record readable. */
export const maxPropertyKeyBytes = 1_024
export const maxPropertyValueBytes = 102_400
export const maxDestinationNameLength = 200

/** How long a client waits for one answer of an administration API: reads of stored data are quick, but finding a destination may fetch a token. */
export const defaultAnswerTimeoutMs = 30_000

/** Characters of a server's error text that end up in our message. */
export const maxQuotedErrorLength = 500

/** How often "create or replace" starts over when somebody else creates and deletes the same destination meanwhile. */
export const maxSetRounds = 3
