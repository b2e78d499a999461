import { consistsOf, tokenBytes } from './character-classes.ts'
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
export function readDeclaredLength(names: readonly string[], values: readonly string[], minorVersion: 0 | 1): DeclaredLength {
  let length: string | undefined
  let coding: string | undefined
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]
    if (name === 'content-length') {
      if (length !== undefined) return secondLength
      length = values[at]
    } else if (name === 'transfer-encoding') {
      if (coding !== undefined) return secondCoding
      coding = values[at]
    }
  }
  if (coding !== undefined) {
    if (length !== undefined) return lengthAndCoding
    if (minorVersion === 0) return codingInOldVersion
    if (coding === 'chunked' || coding.toLowerCase() === 'chunked') return 'chunked'
    return coding !== '' && consistsOf(coding, tokenBytes) ? unknownCoding : badCoding
  }
  if (length === undefined) return undefined
  return parseDecimal(length) ?? badLength
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
