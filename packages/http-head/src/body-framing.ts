import { consistsOf, tokenBytes } from './character-classes.ts'
import type { ControlFields } from './control-fields.ts'
import { maxContentLengthDigits } from './limits.ts'
import { refused, type Unfinished } from './refusal.ts'

const badLength = refused(400, 'Content-Length is not one decimal number within range')
const secondLength = refused(400, 'more than one Content-Length')
const lengthAndCoding = refused(400, 'Content-Length together with Transfer-Encoding')
const secondCoding = refused(400, 'more than one Transfer-Encoding')
const badCoding = refused(400, 'Transfer-Encoding is not exactly "chunked"')
const unknownCoding = refused(501, 'a transfer coding other than chunked')
const codingInOldVersion = refused(400, 'Transfer-Encoding in an HTTP/1.0 message')

/** What the framing headers say: a number of bytes, `'chunked'`, `undefined` when there are none, or why they are not accepted. */
export type DeclaredLength = number | 'chunked' | undefined | Unfinished

/**
 * Reads `Content-Length` and `Transfer-Encoding` more strictly than RFC 9112 §6: one of them, once, in one spelling. Everything that two readers could
 * understand differently is refused.
 */
export function readDeclaredLength(fields: ControlFields, minorVersion: 0 | 1): DeclaredLength {
  const { contentLength, transferEncoding } = fields
  if (fields.contentLengthCount > 1) return secondLength
  if (transferEncoding === undefined) return contentLength === undefined ? undefined : (parseDecimal(contentLength) ?? badLength)
  if (fields.transferEncodingCount > 1) return secondCoding
  if (contentLength !== undefined) return lengthAndCoding
  if (minorVersion === 0) return codingInOldVersion
  if (transferEncoding.toLowerCase() === 'chunked') return 'chunked'
  return transferEncoding !== '' && consistsOf(transferEncoding, tokenBytes) ? unknownCoding : badCoding
}

function parseDecimal(text: string): number | undefined {
  if (text.length === 0 || text.length > maxContentLengthDigits) return undefined
  let number = 0
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return undefined
    number = number * 10 + digit
  }
  return Number.isSafeInteger(number) ? number : undefined
}
