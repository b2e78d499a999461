import { type AbapType, type AbapValue, fixedBytesOf } from './abap-type.ts'
import { fits } from './encode-value.ts'
import { readPacked } from './packed-decimal.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'
import { readTrimmedText, readWireText } from './wire-text.ts'

/**
 * Reads a value from the bytes of a parameter or row; see {@link AbapType} for what comes out. Bytes of another length than the type's are refused. Blanks at the
 * end of a `char` are not part of its value; dates, times and `numc` come as the system has them, `''` where they are blank. `name` is what reasons call the value. Buffers are views.
 */
export function decodeValue(type: AbapType, bytes: Buffer, name: string): AbapValue | Refused {
  const size = fixedBytesOf(type)
  if (size !== undefined && bytes.length !== size) return refuse(`${name}: ${bytes.length} bytes instead of ${size}`)
  switch (type.kind) {
    case 'char':
      return readWireText(bytes, 'utf16le')?.replace(/ +$/, '') ?? refuse(`${name}: not text`)
    case 'numc':
    case 'date':
    case 'time':
      // Nothing in a system holds these to digits: fields that a program has cleared are blank, or NUL.
      return readTrimmedText(bytes, 'utf16le') ?? refuse(`${name}: not text`)
    case 'int1':
      return bytes.readUInt8()
    case 'int2':
      return bytes.readInt16LE()
    case 'int4':
      return bytes.readInt32LE()
    case 'int8':
      return bytes.readBigInt64LE()
    case 'float': {
      const number = bytes.readDoubleLE()
      return Number.isFinite(number) ? number : refuse(`${name}: not a finite number`)
    }
    case 'packed': {
      const number = readPacked(bytes, type)
      return isRefused(number) ? refuse(`${name}: ${number.refused}`) : number
    }
    case 'raw':
    case 'xstring':
      return bytes
    case 'string':
      return decodeUtf8(bytes) ?? refuse(`${name}: not UTF-8`)
    case 'structure':
      return decodeStructure(type, bytes, name)
    case 'decfloat16':
    case 'decfloat34':
    case 'utclong':
      return refuse(`${name}: the bytes of ${type.kind} are not known`)
  }
}

function decodeStructure(type: Extract<AbapType, { kind: 'structure' }>, bytes: Buffer, name: string): AbapValue | Refused {
  const entries: [string, AbapValue][] = []
  for (const field of type.fields) {
    const label = `${name}-${field.name}`
    if (!fits(field, type.bytes)) return refuse(`${label}: does not lie within its structure`)
    const value = decodeValue(field.type, bytes.subarray(field.offset, field.offset + (fixedBytesOf(field.type) ?? 0)), label)
    if (isRefused(value)) return value
    entries.push([field.name, value])
  }
  return Object.fromEntries(entries)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    // Thrown for bytes that are not UTF-8, and for nothing else.
    return undefined
  }
}
