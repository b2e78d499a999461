import type { AbapValue } from './abap-type.ts'
import { componentsOf, type DeepType, type DeepValue, elementOf, rowElement } from './deep-type.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'
import { formatScalar, initialScalar, readScalar, type ScalarType } from './xml-scalar.ts'

/**
 * Renders a deep parameter as XML: `<NAME>…</NAME>`, rows as `<item>…</item>`. Components that the value lacks get their initial values.
 *
 * @throws TypeError for what {@link encodeValue} refuses, for names that XML does not have, and for control characters, which XML cannot carry.
 */
export function formatXmlParameter(name: string, type: DeepType, value: DeepValue): string {
  return element(name, content(type, value, name))
}

function element(name: string, inside: string): string {
  const tag = elementOf(name)
  if (tag === undefined) throw new TypeError(`${name} is not a name of the dictionary`)
  return `<${tag}>${inside}</${tag}>`
}

function content(type: DeepType, value: DeepValue | undefined, name: string): string {
  if (type.kind === 'table') {
    if (value === undefined) return ''
    if (!Array.isArray(value)) throw new TypeError(`${name} is not a list of rows`)
    return (value as readonly DeepValue[]).map((row) => `<${rowElement}>${content(type.row, row, name)}</${rowElement}>`).join('')
  }
  const components = componentsOf(type)
  if (components === undefined)
    return escape(formatScalar(type as ScalarType, (value as AbapValue | undefined) ?? initialScalar(type as ScalarType, name), name), name)
  const given = value ?? {}
  if (typeof given !== 'object' || Array.isArray(given) || Buffer.isBuffer(given)) throw new TypeError(`${name} is not an object`)
  const values = new Map(Object.entries(given as Readonly<Record<string, DeepValue>>))
  const text = components.map((component) => {
    const inside = content(component.type, values.get(component.name), `${name}-${component.name}`)
    values.delete(component.name)
    return element(component.name, inside)
  })
  for (const other of values.keys()) throw new TypeError(`${name} has no component ${other}`)
  return text.join('')
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' }

function escape(text: string, name: string): string {
  if (hasForeignCharacter(text)) throw new TypeError(`${name} has a control character`)
  return text.replaceAll(/[&<>\r]/g, (character) => escapes[character] ?? '')
}

/** XML 1.0 has tab, line feed and carriage return, and no other character below the blank. */
function hasForeignCharacter(text: string): boolean {
  return /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)
}

/**
 * Reads the XML of a deep parameter. It has to be elements and text alone: attributes, comments, declarations and white space between elements are refused, as are
 * components that the type does not have, that are missing or that stand in another order. Nesting goes no deeper than the type.
 */
export function parseXmlParameter(xml: string, name: string, type: DeepType): DeepValue | Refused {
  const read = readElement({ xml, at: 0 }, name, elementOf(name), type)
  if ('refused' in read) return read
  return read.at === xml.length ? read.value : refuse(`${name}: XML goes on behind its end`)
}

/** Which parameter the XML is for. */
export function xmlParameterName(xml: string): string | undefined {
  return /^<([A-Z_][A-Z0-9_-]*)\/?>/.exec(xml)?.[1]?.replaceAll('_-', '/')
}

interface Place {
  readonly xml: string
  readonly at: number
}

interface Read {
  readonly value: DeepValue
  readonly at: number
}

function readElement({ xml, at }: Place, name: string, tag: string | undefined, type: DeepType): Read | Refused {
  if (tag !== undefined && xml.startsWith(`<${tag}/>`, at)) {
    const empty = readContent({ xml: '<', at: 0 }, name, type)
    return 'refused' in empty ? empty : { value: empty.value, at: at + tag.length + 3 }
  }
  if (tag === undefined || !xml.startsWith(`<${tag}>`, at)) return refuse(`${name}: its element is missing`)
  const inside = readContent({ xml, at: at + tag.length + 2 }, name, type)
  if ('refused' in inside) return inside
  return xml.startsWith(`</${tag}>`, inside.at)
    ? { value: inside.value, at: inside.at + tag.length + 3 }
    : refuse(`${name}: its element is not closed`)
}

function readContent({ xml, at }: Place, name: string, type: DeepType): Read | Refused {
  if (type.kind === 'table') {
    const rows: DeepValue[] = []
    let next = at
    while (xml.startsWith(`<${rowElement}>`, next) || xml.startsWith(`<${rowElement}/>`, next)) {
      const row = readElement({ xml, at: next }, name, rowElement, type.row)
      if ('refused' in row) return row
      rows.push(row.value)
      next = row.at
    }
    return { value: rows, at: next }
  }
  const components = componentsOf(type)
  if (components === undefined) return readText({ xml, at }, name, type as ScalarType)
  const entries: [string, DeepValue][] = []
  let next = at
  for (const component of components) {
    const read = readElement({ xml, at: next }, `${name}-${component.name}`, elementOf(component.name), component.type)
    if ('refused' in read) return read
    entries.push([component.name, read.value])
    next = read.at
  }
  return { value: Object.fromEntries(entries), at: next }
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function readText({ xml, at }: Place, name: string, type: ScalarType): Read | Refused {
  const end = xml.indexOf('<', at)
  if (end < 0) return refuse(`${name}: its element is not closed`)
  let isKnown = true
  const text = xml.slice(at, end).replaceAll(/&([^;&]{0,8}(?:;|$)|)/g, (_, reference: string) => {
    const character = reference.endsWith(';') ? characterOf(reference.slice(0, -1)) : undefined
    isKnown &&= character !== undefined
    return character ?? ''
  })
  if (!isKnown || hasForeignCharacter(text)) return refuse(`${name}: a reference or character that XML does not have`)
  const value = readScalar(type, text, name)
  return isRefused(value) ? value : { value: value as DeepValue, at: end }
}

function characterOf(reference: string): string | undefined {
  const number = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(reference)
  if (number === null) return Object.hasOwn(entities, reference) ? entities[reference] : undefined
  const code = number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16)
  return code > 0 && code <= 0x10_ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : undefined
}
