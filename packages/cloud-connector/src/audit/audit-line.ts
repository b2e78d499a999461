import { createHmac, type KeyObject } from 'node:crypto'
import type { AuditEntry } from '@sallyport/core'
import { maxAuditFieldLength } from '../limits.ts'

/** The value that the very first line of a subaccount's first segment has as its predecessor. */
export const chainStart = 'start'

/** The columns of a line that say what happened: `timestamp;type;category;user;correlation id;message`. `timestamp` is ISO 8601. */
export function formatAuditBody(timestamp: string, { category = '', correlationId = '', message, type, user }: AuditEntry): string {
  return `${timestamp};${escapeField(type)};${escapeField(category)};${escapeField(user)};${escapeField(correlationId)};${escapeField(message)}`
}

/**
 * Puts a body into its place in the chain: `body;previous;hmac`.
 *
 * The HMAC (SHA-256, base64url) covers the subaccount, the HMAC of the line before and the body, so a line can be neither changed, moved,
 * inserted nor taken out without breaking the chain.
 */
export function formatAuditLine(
  key: KeyObject,
  subaccount: string,
  previous: string,
  body: string,
): { readonly line: string; readonly hmac: string } {
  const hmac = chainHmac(key, subaccount, previous, body)
  return { line: `${body};${previous};${hmac}\n`, hmac }
}

/** What {@link formatAuditLine} wrote, or `undefined` when the line has another shape. */
export function parseAuditLine(line: string): { readonly body: string; readonly previous: string; readonly hmac: string } | undefined {
  const match = /^((?:[^;]*;){5}[^;]*);([\w-]+);([\w-]{43})$/.exec(line)
  return match === null ? undefined : { body: match[1] ?? '', previous: match[2] ?? '', hmac: match[3] ?? '' }
}

/** HMAC of one line's body in its place. */
export function chainHmac(key: KeyObject, subaccount: string, previous: string, body: string): string {
  return createHmac('sha256', key).update(`${subaccount}\n${previous}\n${body}`).digest('base64url')
}

const special = /[\p{Cc};\\]/u
const everySpecial = /[\p{Cc};\\]/gu

/** Control characters, semicolons and backslashes become `\xhh`, so that a line stays a line and a column a column. */
function escapeField(text: string): string {
  const bounded = text.length > maxAuditFieldLength ? `${text.slice(0, maxAuditFieldLength)}…` : text
  if (!special.test(bounded)) return bounded
  return bounded.replace(everySpecial, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
