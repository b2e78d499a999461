import { type AbapField, type AbapType, type DeepComponent, type DeepType, fixedBytesOf } from '@sallyport/rfc-wire'

/** A type as functions and structures of the fixture name it: elementary, or an entry of the dictionary. */
export type DictionaryType = Exclude<AbapType, { kind: 'structure' }> | { readonly kind: 'named'; readonly name: string }

/** A component of a structure of the dictionary. */
export interface DictionaryField {
  readonly name: string
  readonly type: DictionaryType
}

/** A structure, or a table type by its line. */
export type DictionaryEntry = { readonly fields: readonly DictionaryField[] } | { readonly line: DictionaryType }

/** Structures and table types by name. */
export type Dictionary = Readonly<Record<string, DictionaryEntry>>

/** A component with its place. Deep ones have a place as well: that of the reference the server keeps. */
export interface PlacedField extends DictionaryField {
  readonly offset: number
  readonly bytes: number
}

/** The entry of a name; a fixture that asks for another has a mistake. */
export function entryOf(dictionary: Dictionary, name: string): DictionaryEntry {
  const entry = dictionary[name]
  if (entry === undefined) throw new Error(`the dictionary of the fixture has no ${name}`)
  return entry
}

/** The type as the wire has it. */
export function wireTypeOf(dictionary: Dictionary, type: DictionaryType): DeepType {
  if (type.kind !== 'named') return type
  const entry = entryOf(dictionary, type.name)
  if ('line' in entry) return { kind: 'table', row: wireTypeOf(dictionary, entry.line) }
  const parts: DeepComponent[] = entry.fields.map(({ name, type: part }) => ({ name, type: wireTypeOf(dictionary, part) }))
  if (!parts.every((part) => isFlat(part.type))) return { kind: 'components', components: parts }
  const placed = placeFields(dictionary, entry.fields)
  const fields: AbapField[] = placed.map(({ name, offset }, at) => ({ name, offset, type: parts[at]?.type as AbapType }))
  return { kind: 'structure', bytes: structureBytes(placed), fields }
}

/** Whether values have a fixed length. */
export function isFlat(type: DeepType): boolean {
  return type.kind !== 'table' && type.kind !== 'components' && fixedBytesOf(type) !== undefined
}

/** Where the components of a structure lie in a Unicode system: each at a multiple of its alignment. */
export function placeFields(dictionary: Dictionary, fields: readonly DictionaryField[]): readonly PlacedField[] {
  let end = 0
  return fields.map((field) => {
    const { bytes, alignment } = measure(dictionary, field.type)
    const offset = Math.ceil(end / alignment) * alignment
    end = offset + bytes
    return { ...field, offset, bytes }
  })
}

/** Bytes of a structure; none are added behind its last component. */
export function structureBytes(placed: readonly PlacedField[]): number {
  const last = placed.at(-1)
  return last === undefined ? 0 : last.offset + last.bytes
}

/** A reference to a string or table. */
const reference = { bytes: 8, alignment: 8 }

function measure(dictionary: Dictionary, type: DictionaryType): { readonly bytes: number; readonly alignment: number } {
  if (type.kind === 'named') {
    const entry = entryOf(dictionary, type.name)
    if ('line' in entry) return reference
    const placed = placeFields(dictionary, entry.fields)
    return { bytes: structureBytes(placed), alignment: Math.max(1, ...placed.map((field) => measure(dictionary, field.type).alignment)) }
  }
  const bytes = fixedBytesOf(type)
  if (bytes === undefined) return reference
  return { bytes, alignment: alignmentOf(type, bytes) }
}

function alignmentOf(type: AbapType, bytes: number): number {
  switch (type.kind) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'float':
    case 'decfloat16':
    case 'utclong':
      return bytes
    case 'decfloat34':
      return 8
    case 'char':
    case 'numc':
    case 'date':
    case 'time':
      return 2
    default:
      return 1
  }
}
