import { XmlError } from './xml-tree.ts'

/** How encodings of ABAP systems are called, and what Node calls them. */
const decoders: Readonly<Record<string, string>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'us-ascii': 'utf-8',
  'utf-16': 'utf-16le',
  'utf-16le': 'utf-16le',
  'utf-16be': 'utf-16be',
}

/**
 * Makes text of the bytes of a document. A byte order mark decides, then the header, then the XML declaration (ISO 8859-1 occurs), then it is UTF-8.
 *
 * @throws XmlError for an encoding that is not known, and for bytes that do not fit it.
 */
export function decodeXml(bytes: Buffer, contentType: string | null): string {
  const encoding = markOf(bytes) ?? charsetOf(contentType) ?? declaredEncoding(bytes) ?? 'utf-8'
  if (encoding === 'iso-8859-1' || encoding === 'latin1') return bytes.toString('latin1')
  const decoder = decoders[encoding]
  if (decoder === undefined) throw new XmlError('its encoding is neither UTF-8 nor UTF-16 nor ISO 8859-1')
  try {
    return new TextDecoder(decoder, { fatal: true }).decode(bytes)
  } catch {
    throw new XmlError(`it is not in the encoding ${decoder} that it says`)
  }
}

function markOf(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined
}

function charsetOf(contentType: string | null): string | undefined {
  return /;\s*charset="?([^";\s]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase()
}

function declaredEncoding(bytes: Buffer): string | undefined {
  return /^<\?xml[^>]{0,100}?encoding=["']([A-Za-z0-9._-]{1,40})["']/.exec(bytes.subarray(0, 200).toString('latin1'))?.[1]?.toLowerCase()
}
