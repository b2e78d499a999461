/** A value inside a filter (RFC 4515): what has a meaning there is written as hexadecimal digits. */
export function escapeFilterValue(text: string): string {
  return text.replaceAll(/[\\*()\p{Cc}]/gu, hexadecimal)
}

/** A distinguished name (RFC 4514) whose escaped characters are written as hexadecimal digits: `\,` becomes `\2c`. */
export function escapeNameAsHexadecimal(name: string): string {
  return name.replaceAll(/\\([^0-9A-Fa-f]|[0-9A-Fa-f](?![0-9A-Fa-f]))/g, (_escape, character: string) => hexadecimal(character))
}

function hexadecimal(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
}
