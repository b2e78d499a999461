/** The mailbox at a glance. */
export interface Pop3Stat {
  readonly messages: number
  readonly bytes: number
}

/** One message of a listing. Numbers hold for one session. */
export interface Pop3Message {
  readonly number: number
  readonly bytes: number
}

/** The name of a message that outlives the session. */
export interface Pop3UniqueId {
  readonly number: number
  readonly id: string
}

/** `n bytes`, perhaps with more behind it; `undefined` when the line is none. */
export function tryParseMessage(line: string): Pop3Message | undefined {
  const match = /^\s*(\d{1,15})\s+(\d{1,15})(?:\s|$)/.exec(line)
  return match === null ? undefined : { number: Number(match[1]), bytes: Number(match[2]) }
}

/** The same form: how many messages, and how large they are together. */
export function tryParseStat(text: string): Pop3Stat | undefined {
  const found = tryParseMessage(text)
  return found === undefined ? undefined : { messages: found.number, bytes: found.bytes }
}

/** `n id`: RFC 1939 has printable characters without blanks, up to 70; longer ones are taken as they come. */
export function tryParseUniqueId(line: string): Pop3UniqueId | undefined {
  const match = /^\s*(\d{1,15})\s+([\x21-\x7e]+)\s*$/.exec(line)
  return match === null ? undefined : { number: Number(match[1]), id: match[2] ?? '' }
}
