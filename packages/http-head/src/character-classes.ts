export const HTAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20
export const COLON = 0x3a
export const DELETE = 0x7f

function classOf(admits: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (admits(byte) ? 1 : 0))
}

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/** `tchar` of RFC 9110 §5.6.2: methods, field names, connection options. One entry per byte, 1 for a member; index it with bytes only. */
export const tokenBytes: Uint8Array = classOf((byte) => tokenCharacters.includes(String.fromCharCode(byte)))

/** Field values and reason phrases: visible ASCII, blank, tab and obs-text; no other control character. */
export const valueBytes: Uint8Array = classOf((byte) => byte === HTAB || (byte >= SPACE && byte !== DELETE))

/** Request targets: visible ASCII without `#`, because a fragment never goes on the wire and readers disagree about where it would end. */
export const targetBytes: Uint8Array = classOf((byte) => byte > SPACE && byte < DELETE && byte !== 0x23)

const outsideTarget = /[^!"$-~]/

/** The same of a text. A target is a slice of its head, and of slices a regular expression reads three times as fast as `charCodeAt`. The empty string passes. */
export function isTargetText(text: string): boolean {
  return !outsideTarget.test(text)
}

/** Chunk extensions: visible ASCII and blanks. */
export const extensionBytes: Uint8Array = classOf((byte) => byte >= SPACE && byte < DELETE)

/** Host names as the data path matches them: letters, digits, `-`, `.`, `_`. The rest of RFC 3986's reg-name (percent-encoding, sub-delims) names no host. */
export const hostBytes: Uint8Array = classOf((byte) => /[0-9A-Za-z._-]/.test(String.fromCharCode(byte)))

/** Whether every character is in the class; a character above U+00FF is in none. The empty string passes. */
export function consistsOf(text: string, members: Uint8Array): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (members[text.charCodeAt(at)] !== 1) return false
  }
  return true
}
