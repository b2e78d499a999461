/** The first line of an answer. */
export interface Status {
  readonly ok: boolean
  /** What the server says behind it, extended code included. */
  readonly text: string
  /** Extended response code of RFC 2449 §8 and RFC 3206, in capitals: `IN-USE`, `SYS/TEMP`, …; `''` without one. */
  readonly code: string
}

/** Reads a line without its end; `undefined` when it is no status. */
export function tryParseStatus(line: string): Status | undefined {
  const match = /^(\+OK|-ERR)(?:[ \t](.*))?$/s.exec(line)
  if (match === null) return undefined
  const text = match[2] ?? ''
  return { ok: match[1] === '+OK', text, code: /^\s*\[([A-Za-z][\w.\-/]*)\]/.exec(text)?.[1]?.toUpperCase() ?? '' }
}

/** The server's part of a SASL exchange (RFC 5034 §4): what follows `+ `, in base64; `undefined` when the line is none. */
export function tryParseChallenge(line: string): string | undefined {
  return /^\+(?: (.*))?$/s
    .exec(line)
    ?.slice(1)
    .map((text) => text ?? '')[0]
}
