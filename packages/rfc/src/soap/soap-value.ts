import type { DeepType } from '@sallyport/rfc-wire'
import type { RfcStructure, RfcValue } from '../rfc-value.ts'
import { formatScalarText, initialScalar, readScalarText, type ScalarType } from './scalar-text.ts'
import type { XmlElement } from './xml-tree.ts'

/** The element around each row of a table. */
const rowElement = 'item'

/**
 * The element of a name of the dictionary: `/ACME/X` is `_-ACME_-X`.
 *
 * @throws TypeError for a name that is none in XML.
 */
export function elementName(name: string): string {
  const element = name.replaceAll('/', '_-')
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(element)) throw new TypeError('a name is not one of the dictionary')
  return element
}

/** The name of an element. */
export function dictionaryName(element: string): string {
  return element.replaceAll('_-', '/').toUpperCase()
}

/** Writes an element with a value. Components that are not given are left out; the system takes their initial values. @throws TypeError. */
export function formatElement(name: string, type: DeepType | undefined, value: RfcValue): string {
  const element = elementName(name)
  const content = type === undefined ? formatUntyped(value, name) : formatTyped(type, value, name)
  return content === '' ? `<${element}/>` : `<${element}>${content}</${element}>`
}

function formatTyped(type: DeepType, value: RfcValue, name: string): string {
  if (type.kind === 'table') {
    if (!Array.isArray(value)) throw new TypeError(`${name} is not a list of rows`)
    return value.map((row: RfcValue) => `<${rowElement}>${formatTyped(type.row, row, name)}</${rowElement}>`).join('')
  }
  const components = componentsOf(type)
  if (components === undefined) return escapeText(formatScalarText(type as ScalarType, value, name))
  const structure = toStructure(value, name)
  const known = new Map(components.map((component) => [component.name, component.type]))
  for (const given of Object.keys(structure)) if (!known.has(given)) throw new TypeError(`${name} has no component ${given}`)
  return components
    .map((component) => ({ component, given: structure[component.name] }))
    .map(({ component, given }) => (given === undefined ? '' : formatElement(component.name, component.type, given)))
    .join('')
}

/** What nobody knows the type of: text and numbers as they are, objects and lists as they look. */
function formatUntyped(value: RfcValue, name: string): string {
  if (Array.isArray(value)) return value.map((row: RfcValue) => `<${rowElement}>${formatUntyped(row, name)}</${rowElement}>`).join('')
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (typeof value === 'object') {
    return Object.entries(value as RfcStructure)
      .map(([part, inside]) => (inside === undefined ? '' : formatElement(part, undefined, inside)))
      .join('')
  }
  return escapeText(formatScalarText({ kind: 'string' }, String(value), name))
}

/** Reads the value of an element. @throws TypeError. */
export function readElement(element: XmlElement, type: DeepType | undefined, name: string): RfcValue {
  if (type === undefined) return readUntyped(element)
  if (type.kind === 'table') {
    return element.children.map((row) => {
      if (row.name !== rowElement) throw new TypeError(`${name} has something else than rows`)
      return readElement(row, type.row, name)
    })
  }
  const components = componentsOf(type)
  if (components === undefined) {
    if (element.children.length > 0) throw new TypeError(`${name} is a structure, and its type is not`)
    return readScalarText(type as ScalarType, element.text, name)
  }
  const found = new Map(element.children.map((child) => [dictionaryName(child.name), child]))
  return Object.fromEntries(
    components.map((component): [string, RfcValue] => {
      const child = found.get(component.name)
      return [
        component.name,
        child === undefined ? initialValue(component.type) : readElement(child, component.type, `${name}-${component.name}`),
      ]
    }),
  )
}

function readUntyped(element: XmlElement): RfcValue {
  if (element.children.length === 0) return element.text.trimEnd()
  if (element.children.every((child) => child.name === rowElement)) return element.children.map((child) => readUntyped(child))
  return Object.fromEntries(element.children.map((child) => [dictionaryName(child.name), readUntyped(child)]))
}

/** The value that ABAP has before anybody sets one. */
export function initialValue(type: DeepType): RfcValue {
  if (type.kind === 'table') return []
  const components = componentsOf(type)
  if (components === undefined) return initialScalar(type as ScalarType)
  return Object.fromEntries(components.map((component) => [component.name, initialValue(component.type)]))
}

function componentsOf(type: DeepType): readonly { readonly name: string; readonly type: DeepType }[] | undefined {
  if (type.kind === 'components') return type.components
  return type.kind === 'structure' ? type.fields : undefined
}

function toStructure(value: RfcValue, name: string): RfcStructure {
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array) throw new TypeError(`${name} is not an object`)
  return value as RfcStructure
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' }

function escapeText(text: string): string {
  return text.replaceAll(/[&<>\r]/g, (character) => escapes[character] ?? '')
}
