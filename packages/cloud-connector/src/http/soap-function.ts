import { maxXmlDepth } from '../limits.ts'

/** Where ABAP systems take calls over SOAP: protocols.md 13.1. */
export const soapPath = '/sap/bc/soap/rfc'

/** Which function a SOAP request calls; `'more'`: that cannot be told yet. */
export type SoapReading = { readonly functionName: string } | { readonly refused: string } | 'more'

const envelopeNamespace = 'http://schemas.xmlsoap.org/soap/envelope/'
const functionsNamespace = 'urn:sap-com:document:sap:rfc:functions'

/** One tag, wherever it begins; the second part are its attributes. */
const tagPattern = /<(\/?)([A-Za-z_][\w.:-]*)((?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y
const attributePattern = /([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g
const declarationPattern = /<\?xml\s+version\s*=\s*(?:"1\.0"|'1\.0')(?:\s+[a-z]+\s*=\s*(?:"[\w.-]*"|'[\w.-]*'))*\s*\?>/y

type Namespaces = ReadonlyMap<string, string>
interface OpenElement {
  readonly name: string
  readonly namespaces: Namespaces
}

/**
 * Reads the beginning of a SOAP envelope up to the first element of its body, which names the function: protocols.md 13.6. What two readers could understand
 * differently is refused: document types, processing instructions, names outside ASCII, namespaces written with references.
 *
 * `text` is what has been decoded so far; with `isWhole` nothing follows.
 */
export function readSoapFunction(text: string, isWhole: boolean): SoapReading {
  const open: OpenElement[] = []
  let at = text.startsWith('\uFEFF') ? 1 : 0
  if (text.startsWith('<?', at)) {
    declarationPattern.lastIndex = at
    if (!declarationPattern.test(text)) return text.includes('?>') || isWhole ? refuse('its declaration is not that of XML 1.0') : 'more'
    at = declarationPattern.lastIndex
  }
  for (;;) {
    const tagAt = text.indexOf('<', at)
    const between = text.slice(at, tagAt < 0 ? undefined : tagAt)
    if (!isInHeader(open) && /[^\s]/.test(between)) return refuse('text where none belongs')
    if (tagAt < 0) return isWhole ? refuse('it ends before it names a function') : 'more'
    const skipped = skipSection(text, tagAt, isInHeader(open))
    if (typeof skipped === 'object') return skipped
    if (skipped === 'more') return isWhole ? refuse('it ends before it names a function') : 'more'
    at = skipped
    if (at > tagAt) continue
    tagPattern.lastIndex = tagAt
    const tag = tagPattern.exec(text)
    if (tag === null)
      return text.includes('>', tagAt) && isWhole ? refuse('a tag is malformed') : isWhole ? refuse('it is cut off') : 'more'
    at = tagPattern.lastIndex
    const result = enter(open, { closes: tag[1] === '/', name: tag[2] ?? '', attributes: tag[3] ?? '', empty: tag[4] === '/' })
    if (result !== undefined) return result
  }
}

/** Behind a comment or a CDATA section that begins here; the same place when none does. */
function skipSection(text: string, at: number, isHeader: boolean): number | 'more' | { readonly refused: string } {
  const comment = ['<!--', '-->'] as const
  const sections = isHeader ? [comment, ['<![CDATA[', ']]>'] as const] : [comment]
  for (const [begin, end] of sections) {
    if (!text.startsWith(begin, at)) continue
    const ends = text.indexOf(end, at + begin.length)
    return ends < 0 ? 'more' : ends + end.length
  }
  const two = text.slice(at, at + 2)
  if (two === '<?') return refuse('processing instructions are not accepted')
  // A comment or section whose beginning has not come wholly.
  if (two === '<!') return text.length - at < 9 ? 'more' : refuse('document types are not accepted')
  return at
}

interface Tag {
  readonly closes: boolean
  readonly name: string
  readonly attributes: string
  readonly empty: boolean
}

/** Follows one tag; a result as soon as there is one. */
function enter(open: OpenElement[], { attributes, closes, empty, name }: Tag): SoapReading | undefined {
  if (closes) {
    if (open.pop()?.name !== name) return refuse('an element is closed that is not open')
    return open.length === 0 ? refuse('it ends before it names a function') : undefined
  }
  if (open.length >= maxXmlDepth) return refuse(`more than ${maxXmlDepth} levels`)
  const namespaces = declared(open.at(-1)?.namespaces ?? new Map(), attributes)
  if (!('get' in namespaces)) return namespaces
  const colon = name.indexOf(':')
  const namespace = namespaces.get(colon < 0 ? '' : name.slice(0, colon))
  const localName = name.slice(colon + 1)
  if (open.length === 0 && (localName !== 'Envelope' || namespace !== envelopeNamespace)) return refuse('it is no SOAP envelope')
  if (open.length === 1 && ((localName !== 'Header' && localName !== 'Body') || namespace !== envelopeNamespace))
    return refuse('something else than header and body in its envelope')
  if (open.length === 2 && localNameOf(open[1]) === 'Body') return nameOf(localName, namespace)
  if (!empty) open.push({ name, namespaces })
  else if (open.length < 2 && localName !== 'Header') return refuse('it names no function')
  return undefined
}

/** Names with a namespace of ABAP are written `_-ABC_-X` instead of `/ABC/X`. */
function nameOf(localName: string, namespace: string | undefined): SoapReading {
  if (namespace !== functionsNamespace) return refuse('the element of its body is no function')
  return { functionName: localName.replaceAll('_-', '/') }
}

function declared(outer: Namespaces, attributes: string): Namespaces | { readonly refused: string } {
  if (!attributes.includes('xmlns')) return outer
  const namespaces = new Map(outer)
  const seen = new Set<string>()
  for (const [, attribute = '', double, single] of attributes.matchAll(attributePattern)) {
    if (attribute !== 'xmlns' && !attribute.startsWith('xmlns:')) continue
    const value = double ?? single ?? ''
    if (seen.has(attribute)) return refuse('a namespace is declared twice')
    if (value.includes('&')) return refuse('a namespace is written with references')
    seen.add(attribute)
    namespaces.set(attribute.slice('xmlns:'.length), value)
  }
  return namespaces
}

function isInHeader(open: readonly OpenElement[]): boolean {
  return localNameOf(open[1]) === 'Header'
}

function localNameOf(element: OpenElement | undefined): string | undefined {
  return element?.name.slice(element.name.indexOf(':') + 1)
}

function refuse(reason: string): { readonly refused: string } {
  return { refused: reason }
}
