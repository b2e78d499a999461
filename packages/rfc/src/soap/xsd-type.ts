import type { DeepComponent, DeepType } from '@sallyport/rfc-wire'
import { dictionaryName } from './soap-value.ts'
import { childOf, type XmlElement, XmlError } from './xml-tree.ts'

/** The named types of a schema. Each is read once, so that types in types cost no more than they are long. */
export interface SchemaTypes {
  readonly declared: ReadonlyMap<string, XmlElement>
  /** `undefined` while a type is being read: a type inside itself has no end. */
  readonly known: Map<string, DeepType | undefined>
}

const schemaNamespace = 'http://www.w3.org/2001/XMLSchema'

/** The types of XML Schema as ABAP uses them (protocols.md 13.5), without facets. */
const builtIn: Readonly<Record<string, DeepType>> = {
  byte: { kind: 'int1' },
  unsignedByte: { kind: 'int1' },
  short: { kind: 'int2' },
  int: { kind: 'int4' },
  long: { kind: 'int8' },
  double: { kind: 'float' },
  float: { kind: 'float' },
  decimal: { kind: 'decfloat34' },
  base64Binary: { kind: 'xstring' },
  date: { kind: 'date' },
  time: { kind: 'time' },
}

/** The type of an element of a schema. @throws XmlError for a type that contains itself. */
export function readType(element: XmlElement, types: SchemaTypes): DeepType {
  const named = element.attributes['type']
  if (named !== undefined) return namedType(element, named, types)
  const complex = childOf(element, 'complexType')
  if (complex !== undefined) return complexType(complex, types)
  const simple = childOf(element, 'simpleType')
  return simple === undefined ? { kind: 'string' } : simpleType(simple, types)
}

function namedType(element: XmlElement, qualified: string, types: SchemaTypes): DeepType {
  const [prefix = '', local = ''] = qualified.includes(':') ? qualified.split(':', 2) : ['', qualified]
  if (element.prefixes[prefix] === schemaNamespace) return builtIn[local] ?? { kind: 'string' }
  // ABAP declares both with a pattern, under these names.
  if (local === 'date' || local === 'time') return { kind: local }
  if (types.known.has(local)) {
    const known = types.known.get(local)
    if (known === undefined) throw new XmlError('a type contains itself')
    return known
  }
  const declared = types.declared.get(local)
  if (declared === undefined) return { kind: 'string' }
  types.known.set(local, undefined)
  const type = declared.name === 'simpleType' ? simpleType(declared, types) : complexType(declared, types)
  types.known.set(local, type)
  return type
}

/** A table is a sequence of `item`; everything else is a structure. */
function complexType(complex: XmlElement, types: SchemaTypes): DeepType {
  const list = childOf(complex, 'sequence') ?? childOf(complex, 'all')
  const elements = list?.children.filter((child) => child.name === 'element') ?? []
  const [row] = elements
  if (elements.length === 1 && row?.attributes['name'] === 'item' && row.attributes['maxOccurs'] === 'unbounded') {
    return { kind: 'table', row: readType(row, types) }
  }
  const components: DeepComponent[] = elements.map((child) => ({
    name: dictionaryName(child.attributes['name'] ?? ''),
    type: readType(child, types),
  }))
  return { kind: 'components', components }
}

function simpleType(simple: XmlElement, types: SchemaTypes): DeepType {
  const restriction = childOf(simple, 'restriction')
  if (restriction === undefined) return { kind: 'string' }
  const base = namedType(restriction, restriction.attributes['base'] ?? '', types)
  const length = facet(restriction, 'maxLength') ?? facet(restriction, 'length')
  switch (base.kind) {
    case 'string':
      if (length === undefined) return base
      return isDigits(restriction) ? { kind: 'numc', length } : { kind: 'char', length }
    case 'xstring':
      return length === undefined ? base : { kind: 'raw', length }
    case 'decfloat34': {
      const digits = facet(restriction, 'totalDigits')
      if (digits === undefined) return base
      return { kind: 'packed', bytes: Math.ceil((digits + 1) / 2), decimals: facet(restriction, 'fractionDigits') ?? 0 }
    }
    default:
      return base
  }
}

function facet(restriction: XmlElement, name: string): number | undefined {
  const value = childOf(restriction, name)?.attributes['value']
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined
}

/** `\d*`, `[0-9]{8}` and the like. */
function isDigits(restriction: XmlElement): boolean {
  return /^(?:\\d|\[0-9\])(?:[*+]|\{[\d,]+\})$/.test(childOf(restriction, 'pattern')?.attributes['value'] ?? '')
}
