const named: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }
const escapes: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f' }

/** Resolves the escapes of a `.properties` file; a `\u` without four hexadecimal digits is no escape, and stays as it was written. */
export function unescape(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|([^]))/g, (_whole, digits: string | undefined, character: string | undefined) => {
    if (digits !== undefined) return String.fromCharCode(Number.parseInt(digits, 16))
    if (character === undefined) return ''
    if (character === 'u') return String.raw`\u`
    return named[character] ?? character
  })
}

/** Escapes a value; a blank matters at its beginning only. */
export function escapeValue(value: string): string {
  return escape(value).replace(/^ /, '\\ ')
}

/** Escapes a key, in which every blank would end it. */
export function escapeKey(key: string): string {
  return escape(key).replaceAll(' ', '\\ ')
}

/** Characters beyond printable ASCII become `\uXXXX`, because readers take the file for ISO 8859-1. */
function escape(text: string): string {
  return text
    .replace(/[\\=:#!]/g, String.raw`\$&`)
    .replace(/[^\x20-\x7e]/g, (character) => escapes[character] ?? `\\u${hexadecimal(character.charCodeAt(0))}`)
}

function hexadecimal(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0')
}
