import { createHmac, type Hmac, type KeyObject } from 'node:crypto'
import type { AuditEntry } from '@sallyport/core'
import { maxAuditFieldLength } from '../limits.ts'

/** The value that the very first line of a subaccount's first segment has as its predecessor. */
export const chainStart = 'start'

/** The columns of a line that say what happened: `timestamp;type;category;user;correlation id;message`. `timestamp` is ISO 8601. */
export function formatAuditBody(timestamp: string, { category = '', correlationId = '', message, type, user }: AuditEntry): string {
  return `${timestamp};${escapeField(type)};${escapeField(category)};${escapeField(user)};${escapeField(correlationId)};${escapeField(message)}`
}

/**
 * Puts bodies that are written together into their place in the chain, as one block. Every line is `body;previous;seal`, but only the first line of a block says
 * what the block follows, and only the last one has a seal.
 *
 * The seal (HMAC-SHA-256, base64url) covers the subaccount, the seal of the block before and all bodies, so no line can be changed, moved, inserted or taken out
 * without breaking the chain.
 */
export function formatAuditBlock(
  key: KeyObject,
  subaccount: string,
  previous: string,
  bodies: readonly string[],
): { readonly text: string; readonly seal: string } {
  const seal = beginSeal(key, subaccount, previous)
    .update(`\n${bodies.join('\n')}`)
    .digest('base64url')
  return {
    text: `${bodies[0]};${previous};${bodies
      .slice(1)
      .map((body) => `\n${body};;`)
      .join('')}${seal}\n`,
    seal,
  }
}

/** One line of a block: `previous` is empty unless it is the first, `seal` unless it is the last. */
export interface AuditLine {
  readonly body: string
  readonly previous: string
  readonly seal: string
}

/** What {@link formatAuditBlock} wrote, or `undefined` when the line has another shape. */
export function parseAuditLine(line: string): AuditLine | undefined {
  const match = /^((?:[^;]*;){5}[^;]*);([\w-]*);([\w-]{43})?$/.exec(line)
  return match === null ? undefined : { body: match[1] ?? '', previous: match[2] ?? '', seal: match[3] ?? '' }
}

/** Recomputes the seal of a block, line by line. */
export interface BlockCheck {
  readonly previous: string
  readonly lines: number
  add(body: string): void
  /** Whether the block, as far as it was added, carries the right seal. Ends the check. */
  isSealedBy(seal: string): boolean
}

/** Begins to check the block that follows the one with the seal `previous`. */
export function checkBlock(key: KeyObject, subaccount: string, previous: string): BlockCheck {
  const hmac = beginSeal(key, subaccount, previous)
  let lines = 0
  return {
    previous,
    get lines() {
      return lines
    },
    add(body) {
      lines++
      hmac.update(`\n${body}`)
    },
    isSealedBy: (seal) => hmac.digest('base64url') === seal,
  }
}

function beginSeal(key: KeyObject, subaccount: string, previous: string): Hmac {
  return createHmac('sha256', key).update(`${subaccount}\n${previous}`)
}

/** What a line says, as it was given to the log. */
export interface StoredAuditEntry {
  /** ISO 8601. */
  readonly timestamp: string
  readonly subaccount: string
  readonly type: string
  readonly category: string
  readonly user: string
  readonly correlationId: string
  readonly message: string
}

/** Reads what {@link formatAuditBody} wrote. */
export function parseAuditBody(body: string, subaccount: string): StoredAuditEntry {
  const [timestamp = '', ...fields] = body.split(';')
  const [type = '', category = '', user = '', correlationId = '', message = ''] = fields.map(unescapeField)
  return { timestamp, subaccount, type, category, user, correlationId, message }
}

function unescapeField(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

const special = /[\p{Cc};\\]/u
const everySpecial = /[\p{Cc};\\]/gu

/** Control characters, semicolons and backslashes become `\xhh`, so that a line stays a line and a column a column. */
function escapeField(text: string): string {
  const bounded = text.length > maxAuditFieldLength ? `${text.slice(0, maxAuditFieldLength)}…` : text
  if (!special.test(bounded)) return bounded
  return bounded.replace(everySpecial, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
