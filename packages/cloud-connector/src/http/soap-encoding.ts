/** Encodings that every reader of XML knows alike. */
const decoders: Readonly<Record<string, (bytes: Buffer, isWhole: boolean) => string | undefined>> = {
  'utf-8': decodeWith('utf-8'),
  'us-ascii': decodeWith('utf-8'),
  'utf-16le': decodeWith('utf-16le'),
  'utf-16be': decodeWith('utf-16be'),
  'iso-8859-1': (bytes) => bytes.toString('latin1'),
}
const aliases: Readonly<Record<string, string>> = { utf8: 'utf-8', latin1: 'iso-8859-1', 'latin-1': 'iso-8859-1', ascii: 'us-ascii' }

/**
 * Decodes the beginning of an XML document, or says why not. Its byte order mark, its declaration and the `charset` of its content type have to agree, because
 * readers differ in which of them they believe. Of a document that is not `isWhole` the last character may be missing.
 */
export function decodeXml(bytes: Buffer, contentType: string, isWhole: boolean): { readonly text: string } | { readonly refused: string } {
  const mark = markOf(bytes)
  const charset = /;\s*charset\s*=\s*"?([\w.-]+)/i.exec(contentType)?.[1]
  const written = charset === undefined ? undefined : nameOf(charset)
  const encoding = mark ?? written ?? declaredIn(bytes.toString('latin1', 0, 200)) ?? 'utf-8'
  const decode = decoders[encoding === 'utf-16' ? 'unmarked' : encoding]
  if (decode === undefined) return { refused: 'its encoding is not accepted' }
  if (written !== undefined && !isSame(written, encoding)) return { refused: 'its content type states another encoding' }
  const text = decode(bytes, isWhole)
  if (text === undefined) return { refused: 'it is not text in its encoding' }
  const declared = declaredIn(text.slice(0, 200))
  return declared === undefined || isSame(declared, encoding) ? { text } : { refused: 'its declaration states another encoding' }
}

function markOf(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 'utf-8' : undefined
}

function declaredIn(text: string): string | undefined {
  const encoding = /^\uFEFF?<\?xml\s[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']/.exec(text)?.[1]
  return encoding === undefined ? undefined : nameOf(encoding)
}

function nameOf(label: string): string {
  const name = label.toLowerCase()
  return aliases[name] ?? name
}

/** `utf-16` says nothing of the order, which the mark does. */
function isSame(label: string, encoding: string): boolean {
  return label === encoding || (label === 'utf-16' && encoding.startsWith('utf-16'))
}

function decodeWith(label: string): (bytes: Buffer, isWhole: boolean) => string | undefined {
  return (bytes, isWhole) => {
    try {
      return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !isWhole })
    } catch {
      // Bytes that no text has in this encoding.
      return undefined
    }
  }
}
