import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type Answer, refuse } from '../http/answer.ts'

/**
 * Names the content of a destination: 64 hexadecimal digits that change with every property. Made when it is asked for and never stored, because beside
 * the other properties a digest would let somebody who holds the database guess a password.
 */
export function etagOf(properties: Readonly<Record<string, string>>): string {
  const known = etags.get(properties)
  if (known !== undefined) return known
  const sorted = Object.entries(properties).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const etag = createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
  etags.set(properties, etag)
  return etag
}

/** Of records that are still held somewhere; nobody changes them. */
const etags = new WeakMap<object, string>()

/** The answer that ends a conditional request early, 412 or 304; `undefined` when the full answer is wanted. */
export function answerByCondition(headers: IncomingHttpHeaders, etag: string): Answer | undefined {
  if (headers['if-match'] !== undefined && !names(headers['if-match'], etag)) {
    return refuse(412, 'The configuration has another version than the ones named in If-Match', { etag })
  }
  if (headers['if-none-match'] !== undefined && names(headers['if-none-match'], etag)) return { status: 304, headers: { etag } }
  return undefined
}

/** Bare values, as the original writes them, and quoted and weak ones, as RFC 9110 does. */
function names(header: string, etag: string): boolean {
  return header.split(',').some((part) => {
    const value = part.trim().replace(/^(?:W\/)?"(.*)"$/, '$1')
    return value === '*' || value === etag
  })
}
