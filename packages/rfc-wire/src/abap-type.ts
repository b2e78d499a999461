/**
 * A type of an interface, with what metadata say about it: protocols.md 11.10. Lengths of text are characters, others bytes.
 *
 * Values in JavaScript: text for `char`, `numc`, `date` (`YYYYMMDD`), `time` (`HHMMSS`), `packed` (decimal notation with all its decimals) and `string`; numbers
 * for the integers up to four bytes and for `float`; `bigint` for `int8`; `Buffer` for `raw` and `xstring`; an object for a structure.
 */
export type AbapType =
  | { readonly kind: 'char'; readonly length: number }
  | { readonly kind: 'numc'; readonly length: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'time' }
  | { readonly kind: 'int1' }
  | { readonly kind: 'int2' }
  | { readonly kind: 'int4' }
  | { readonly kind: 'int8' }
  | { readonly kind: 'float' }
  | { readonly kind: 'packed'; readonly bytes: number; readonly decimals: number }
  | { readonly kind: 'raw'; readonly length: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'xstring' }
  /** Their bytes are not known: values are refused in both directions. */
  | { readonly kind: 'decfloat16' | 'decfloat34' | 'utclong' }
  | { readonly kind: 'structure'; readonly bytes: number; readonly fields: readonly AbapField[] }

/** A component of a flat structure. */
export interface AbapField {
  /** Upper case, as the dictionary has it. */
  readonly name: string
  /** In the Unicode layout, gaps of alignment included. */
  readonly offset: number
  readonly type: AbapType
}

/** A value as JavaScript has it. */
export type AbapValue = string | number | bigint | Buffer | { readonly [name: string]: AbapValue }

/** Bytes of a type on the wire; `undefined` for those whose values have their own length. */
export function fixedBytesOf(type: AbapType): number | undefined {
  switch (type.kind) {
    case 'char':
    case 'numc':
      return type.length * 2
    case 'date':
      return 16
    case 'time':
      return 12
    case 'int1':
      return 1
    case 'int2':
      return 2
    case 'int4':
      return 4
    case 'int8':
    case 'float':
    case 'decfloat16':
    case 'utclong':
      return 8
    case 'decfloat34':
      return 16
    case 'packed':
    case 'structure':
      return type.bytes
    case 'raw':
      return type.length
    case 'string':
    case 'xstring':
      return undefined
  }
}
