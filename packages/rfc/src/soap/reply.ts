import type { FunctionDescription } from '../function-description.ts'
import type { RfcStructure, RfcValue } from '../rfc-value.ts'
import { namespaces } from './envelope.ts'
import { dictionaryName, elementName, initialValue, readElement } from './soap-value.ts'
import { childOf, type XmlElement } from './xml-tree.ts'

/** What a reply answers. */
export interface ReplyTo {
  readonly functionName: string
  readonly description: FunctionDescription | undefined
  readonly notRequested: readonly string[]
}

/** The content of the body of an envelope; `undefined` for a document that is no envelope. */
export function bodyOf(document: XmlElement): XmlElement | undefined {
  if (document.name !== 'Envelope' || document.namespace !== namespaces.envelope) return undefined
  return childOf(document, 'Body', namespaces.envelope)?.children[0]
}

/** Whether this is the answer to a call: `<FM>.Response`, or without the dot as some releases write it. */
export function isReplyTo(element: XmlElement, functionName: string): boolean {
  const name = elementName(functionName)
  return element.namespace === namespaces.functions && (element.name === `${name}.Response` || element.name === `${name}Response`)
}

/** The outputs, in whatever order they come (protocols.md 13.3). Those that the system leaves out have their initial values. @throws TypeError. */
export function readReply(element: XmlElement, { description, notRequested }: ReplyTo): RfcStructure {
  const outputs = description?.parameters.filter(({ direction }) => direction !== 'importing') ?? []
  const results = new Map<string, RfcValue>(outputs.map(({ name, type }) => [name, initialValue(type)]))
  for (const child of element.children) {
    const name = dictionaryName(child.name)
    results.set(name, readElement(child, outputs.find((output) => output.name === name)?.type, name))
  }
  for (const name of notRequested) results.delete(name)
  return Object.fromEntries(results)
}
