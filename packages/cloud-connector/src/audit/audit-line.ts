import { createHmac, type KeyObject } from 'node:crypto'
import { maxAuditFieldLength } from '../limits.ts'

/** What stands in one line of an audit segment, before it is chained. */
export interface AuditLineFields {
  readonly timestamp: string
  readonly type: string
  readonly category: string
  readonly user: string
  readonly correlationId: string
  readonly message: string
}

/** The value that the very first line of a subaccount's first segment has as its predecessor. */
export const chainStart = 'start'

/**
 * Renders `timestamp;type;category;user;correlation id;message;previous;hmac`.
 *
 * The HMAC (SHA-256, base64url) covers the subaccount, the HMAC of the line before and the fields, so a line can be neither changed, moved,
 * inserted nor taken out without breaking the chain.
 */
export function formatAuditLine(
  key: KeyObject,
  subaccount: string,
  previous: string,
  fields: AuditLineFields,
): { readonly line: string; readonly hmac: string } {
  const body = [fields.timestamp, fields.type, fields.category, fields.user, fields.correlationId, fields.message]
    .map(escapeField)
    .join(';')
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
