import type { SaxesParser } from 'saxes'
import { maxXmlDepth, maxXmlElements } from '../limits.ts'

/** An element with everything in it. White space around child elements is not kept. */
export interface XmlElement {
  readonly namespace: string
  readonly name: string
  /** By local name; of two alike in different namespaces the one without wins. */
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** Character data directly inside. */
  readonly text: string
  /** Namespaces by prefix, for values that are qualified names. */
  readonly prefixes: Readonly<Record<string, string>>
}

/** The parser; handed over because it is loaded when it is needed. */
export type XmlParserClass = typeof SaxesParser

/** Bytes that are no XML, or more of it than anybody should read. */
export class XmlError extends Error {
  override readonly name = 'XmlError'
}

interface Open {
  readonly namespace: string
  readonly name: string
  readonly attributes: Record<string, string>
  readonly children: XmlElement[]
  readonly prefixes: Readonly<Record<string, string>>
  text: string
}

/**
 * Reads a document into a tree: well-formed XML with namespaces, without a document type (so that there are no entities but the five that XML has), bounded in depth
 * and number of elements. The length is the caller's concern.
 *
 * @throws XmlError, which quotes nothing of the document.
 */
export function parseXml(Parser: XmlParserClass, text: string): XmlElement {
  const parser = new Parser({ xmlns: true, position: false })
  const open: Open[] = []
  let root: XmlElement | undefined
  let count = 0
  const fail = (what: string): never => {
    throw new XmlError(what)
  }
  parser.on('error', () => fail('it is not well-formed'))
  parser.on('doctype', () => fail('it has a document type'))
  parser.on('opentag', ({ uri, local, attributes, ns }) => {
    if (open.length >= maxXmlDepth) fail(`it is nested deeper than ${maxXmlDepth} elements`)
    count += 1
    if (count > maxXmlElements) fail(`it has more than ${maxXmlElements} elements`)
    const own: Record<string, string> = {}
    for (const { prefix, local: name, value } of Object.values(attributes)) {
      if (prefix !== 'xmlns' && (prefix === '' || !Object.hasOwn(own, name))) own[name] = value
    }
    const outer = open.at(-1)?.prefixes ?? {}
    const declared = ns ?? {}
    const prefixes = Object.keys(declared).length === 0 ? outer : { ...outer, ...declared }
    open.push({ namespace: uri, name: local, attributes: own, children: [], prefixes, text: '' })
  })
  const addText = (part: string): void => {
    const inside = open.at(-1)
    if (inside !== undefined) inside.text += part
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    const done = open.pop()
    if (done === undefined) return
    const element = done.children.length > 0 && done.text.trim() === '' ? { ...done, text: '' } : done
    const parent = open.at(-1)
    if (parent === undefined) root = element
    else parent.children.push(element)
  })
  parser.write(text).close()
  return root ?? fail('it has no element')
}

/** The first child of a name, in any namespace or in one. */
export function childOf(element: XmlElement | undefined, name: string, namespace?: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name && (namespace === undefined || child.namespace === namespace))
}
