/**
 * A template for filters (RFC 4515 §3) in which what is filled in stays a value, whatever characters it has.
 *
 * @example
 * filterText`(&(objectClass=person)(uid=${uid}))` // uid '*' gives (uid=\2a)
 */
export function filterText(parts: TemplateStringsArray, ...values: readonly (string | Buffer)[]): string {
  return String.raw({ raw: parts }, ...values.map(escapeFilterValue))
}

/** A template for names (RFC 4514 §2.4) in which what is filled in stays one attribute value. */
export function dnText(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: parts }, ...values.map(escapeDnValue))
}

function escapeFilterValue(value: string | Buffer): string {
  if (typeof value !== 'string') return [...value].map(escapeByte).join('')
  // oxlint-disable-next-line no-control-regex -- the standard escapes it
  return value.replaceAll(/[*()\\\u0000]/g, (character) => escapeByte(character.charCodeAt(0)))
}

function escapeDnValue(value: string): string {
  // oxlint-disable-next-line no-control-regex -- the standard escapes them
  const special = /^[ #]| $|["+,;<>=\\\u0000-\u001f]/gu
  return value.replaceAll(special, (character) => escapeByte(character.charCodeAt(0)))
}

function escapeByte(byte: number): string {
  return `\\${byte.toString(16).padStart(2, '0')}`
}
