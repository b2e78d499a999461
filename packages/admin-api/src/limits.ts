/** Bytes of a property's key and value, and characters of the name of a destination or fragment. The original documents the last one only; the others keep a record readable. */
export const maxPropertyKeyBytes = 1_024
export const maxPropertyValueBytes = 102_400
export const maxEntityNameLength = 200

/** Labels of one entity and values of one label, as the original documents. */
export const maxLabels = 10
export const maxLabelValues = 10

/** Characters of a label's key and of a value: undocumented; long enough for names of projects and teams, short enough for a filter in a URI. */
export const maxLabelKeyLength = 100
export const maxLabelValueLength = 200

/** How long a client waits for one answer of an administration API: reads of stored data are quick, but finding a destination may fetch a token. */
export const defaultAnswerTimeoutMs = 30_000

/** Characters of a server's error text that end up in our message. */
export const maxQuotedErrorLength = 500

/** How often "create or replace" starts over when somebody else creates and deletes the same destination meanwhile. */
export const maxSetRounds = 3

/** Characters of a value that a message about it shows: enough to find it. */
export const maxShownValueLength = 60
