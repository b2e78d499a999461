import { codePages } from './gateway-connect.ts'

/** How text stands in a chain: ASCII in a logon, else what the gateway announced. */
export type WireEncoding = 'ascii' | 'utf16le' | 'utf16be'

/** The encoding behind the code page of a gateway's answer; single bytes unless it is one of the two of Unicode. */
export function encodingOfCodePage(codePage: string): WireEncoding {
  if (codePage === codePages.utf16LittleEndian) return 'utf16le'
  return codePage === codePages.utf16BigEndian ? 'utf16be' : 'ascii'
}

/**
 * Renders text.
 *
 * @throws TypeError for characters that the encoding lacks and for halves of surrogate pairs.
 */
export function formatWireText(text: string, encoding: WireEncoding): Buffer {
  if (encoding === 'ascii') {
    if (!/^[\0-\x7f]*$/.test(text)) throw new TypeError('text is not ASCII')
    return Buffer.from(text, 'latin1')
  }
  if (!text.isWellFormed()) throw new TypeError('text with half a surrogate pair')
  const bytes = Buffer.from(text, 'utf16le')
  return encoding === 'utf16be' ? bytes.swap16() : bytes
}

/** Reads text; `undefined` for bytes that are none in this encoding. */
export function readWireText(bytes: Buffer, encoding: WireEncoding): string | undefined {
  if (encoding === 'ascii') {
    const text = bytes.toString('latin1')
    return /^[\0-\x7f]*$/.test(text) ? text : undefined
  }
  if (bytes.length % 2 !== 0) return undefined
  const text = (encoding === 'utf16be' ? Buffer.from(bytes).swap16() : bytes).toString('utf16le')
  return text.isWellFormed() ? text : undefined
}

/** Reads text that is filled up with blanks or NUL. */
export function readTrimmedText(bytes: Buffer, encoding: WireEncoding): string | undefined {
  return readWireText(bytes, encoding)?.replace(/[\0 ]+$/, '')
}
