import type { AbapField, AbapType, DeepComponent, DeepType } from '@sallyport/rfc-wire'
import { fixedBytesOf } from '@sallyport/rfc-wire'

/** What a row of metadata says about a type; lengths in bytes of a Unicode system. */
export interface TypeFacts {
  /** Letter of protocols.md 11.10. */
  readonly letter: string
  /** Name of the type in the dictionary (`CHAR`, `INT4`, …); `''` where only the letter is known. It decides: letters of integers were seen to be those of bytes. */
  readonly dataType: string
  readonly bytes: number
  /** Of text; `undefined` where only the bytes are known. */
  readonly characters: number | undefined
  readonly decimals: number
}

/** Data types with another letter than their first. */
const letters: Readonly<Record<string, string>> = {
  CHAR: 'C',
  CLNT: 'C',
  LANG: 'C',
  CUKY: 'C',
  UNIT: 'C',
  LCHR: 'C',
  VARC: 'C',
  NUMC: 'N',
  ACCP: 'N',
  DATS: 'D',
  TIMS: 'T',
  DEC: 'P',
  CURR: 'P',
  QUAN: 'P',
  INT1: 'b',
  INT2: 's',
  PREC: 's',
  INT4: 'I',
  INT8: '8',
  FLTP: 'F',
  RAW: 'X',
  LRAW: 'X',
  STRG: 'g',
  SSTR: 'g',
  RSTR: 'y',
  D16D: 'a',
  D16R: 'a',
  D16N: 'a',
  D34D: 'e',
  D34R: 'e',
  D34N: 'e',
  UTCL: 'p',
}

/** The type behind the facts; `undefined` for one that is no elementary type, or not known. */
export function elementaryType({ letter, dataType, bytes, characters, decimals }: TypeFacts): AbapType | undefined {
  const length = characters ?? Math.floor(bytes / 2)
  switch (letters[dataType] ?? letter) {
    case 'C':
      return { kind: 'char', length }
    case 'N':
      return { kind: 'numc', length }
    case 'D':
      return { kind: 'date' }
    case 'T':
      return { kind: 'time' }
    case 'b':
      return { kind: 'int1' }
    case 's':
      return { kind: 'int2' }
    case 'I':
      return { kind: 'int4' }
    case '8':
      return { kind: 'int8' }
    case 'F':
      return { kind: 'float' }
    case 'P':
      return { kind: 'packed', bytes, decimals }
    case 'X':
      return { kind: 'raw', length: bytes }
    case 'g':
      return { kind: 'string' }
    case 'y':
      return { kind: 'xstring' }
    case 'a':
      return { kind: 'decfloat16' }
    case 'e':
      return { kind: 'decfloat34' }
    case 'p':
      return { kind: 'utclong' }
    default:
      return undefined
  }
}

/** A structure of components with their places: flat if all of them are, and XML otherwise. */
export function structureType(components: readonly (DeepComponent & { readonly offset: number })[]): DeepType {
  const fields: AbapField[] = []
  let bytes = 0
  for (const { name, offset, type } of components) {
    const size = type.kind === 'table' || type.kind === 'components' ? undefined : fixedBytesOf(type)
    if (size === undefined) return { kind: 'components', components: components.map((each) => ({ name: each.name, type: each.type })) }
    fields.push({ name, offset, type: type as AbapType })
    bytes = Math.max(bytes, offset + size)
  }
  return { kind: 'structure', bytes, fields }
}
