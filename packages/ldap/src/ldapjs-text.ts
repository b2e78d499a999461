import { readElements, writeElement } from './ber.ts'

const constructed = 0x20

/**
 * The library takes names apart and writes them again, and then forgets the escapes of backslashes and outer blanks. What is
 * escaped twice comes out as it should: `\5c20` for `\20`.
 */
export function reescapeDn(dn: string): string {
  return dn.replaceAll(
    /\\([0-9a-f]{2}|.)/gisu,
    (_escape, what: string) => `\\5c${what.length === 2 ? what : what.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

/** The library writes the escapes of a filter as they stand. On the wire a value has no escapes (RFC 4515 §3), so they are resolved in what it has written. */
export function resolveEscapes(ber: Buffer): Buffer {
  const parts = [...readElements(ber)]
  return Buffer.concat(
    parts.map(({ tag, content }) => writeElement(tag, (tag & constructed) === 0 ? resolve(content) : resolveEscapes(content))),
  )
}

function resolve(value: Buffer): Buffer {
  const text = value.toString('latin1')
  const resolved = text.replaceAll(/\\([0-9a-fA-F]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(resolved, 'latin1')
}
