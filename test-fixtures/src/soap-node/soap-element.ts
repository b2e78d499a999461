import { SaxesParser } from 'saxes'

/** An element of a request. */
export interface SoapElement {
  readonly namespace: string
  readonly name: string
  readonly children: SoapElement[]
  text: string
}

/** Reads a document. @throws Error for what is not well-formed. */
export function readElements(xml: string): SoapElement {
  const parser = new SaxesParser({ xmlns: true })
  const open: SoapElement[] = []
  let root: SoapElement | undefined
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ uri, local }) => {
    const element = { namespace: uri, name: local, children: [], text: '' }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('text', (text) => {
    const inside = open.at(-1)
    if (inside !== undefined) inside.text += text
  })
  parser.on('cdata', (text) => {
    const inside = open.at(-1)
    if (inside !== undefined) inside.text += text
  })
  parser.on('closetag', () => void open.pop())
  parser.write(xml).close()
  if (root === undefined) throw new Error('no element')
  return root
}

/** Text inside an element. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** A name of the dictionary as ABAP writes it in XML. */
export function toElementName(name: string): string {
  return name.replaceAll('/', '_-')
}
