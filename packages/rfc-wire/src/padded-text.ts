const NUL = 0x00
const BLANK = 0x20

/** Whether text has only characters from blank to tilde: what every code page of the protocol agrees upon. */
export function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** Reads a text field without the NUL or blanks that fill it up; `undefined` if anything else than printable ASCII stands in front of them. */
export function readPaddedText(field: Buffer): string | undefined {
  let end = field.length
  while (end > 0 && (field[end - 1] === NUL || field[end - 1] === BLANK)) end -= 1
  const text = field.toString('latin1', 0, end)
  return isPrintable(text) ? text : undefined
}

/**
 * Writes printable text into a field and fills it up.
 *
 * @throws TypeError if the text is too long, or ends in a blank, which would be lost.
 */
export function writePaddedText(target: Buffer, at: number, size: number, text: string, fill: 'nul' | 'blank', what: string): void {
  if (text.length > size) throw new TypeError(`${what} is longer than ${size} bytes`)
  if (text.endsWith(' ')) throw new TypeError(`${what} ends in a blank`)
  target.fill(fill === 'nul' ? NUL : BLANK, at, at + size)
  target.write(text, at, 'latin1')
}
