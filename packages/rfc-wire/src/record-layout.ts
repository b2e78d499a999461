import { isPrintable, readPaddedText, writePaddedText } from './padded-text.ts'
import { type Refused, refuse } from './refusal.ts'

/**
 * One field of a record of fixed layout: its offset and what it is. Numbers are big-endian. Text is printable ASCII filled up to its size with NUL or blanks;
 * either filling is understood.
 */
type LayoutField =
  | readonly [at: number, kind: 'u8' | 'u16' | 'u32' | 'i16' | 'i32']
  | readonly [at: number, kind: 'text', size: number, fill: 'nul' | 'blank']
  | readonly [at: number, kind: 'bytes', size: number]

/** A record as the specification tabulates it. */
interface RecordLayout<Fields extends Readonly<Record<string, LayoutField>>> {
  /** For reasons: `gateway connect record`. */
  readonly name: string
  readonly size: number
  readonly fields: Fields
  /** Bytes that never vary, as hexadecimal digits. Others than these are refused. */
  readonly constants: readonly (readonly [at: number, hex: string])[]
}

/** The values of a record. Byte fields are views of what was parsed. */
type LayoutValues<Fields extends Readonly<Record<string, LayoutField>>> = {
  readonly [Name in keyof Fields]: Fields[Name][1] extends 'text' ? string : Fields[Name][1] extends 'bytes' ? Buffer : number
}

/** Reads a record at an offset of bytes that are long enough; the caller has checked the length that the protocol states. */
export function readLayout<const Fields extends Readonly<Record<string, LayoutField>>>(
  layout: RecordLayout<Fields>,
  bytes: Buffer,
  from = 0,
): LayoutValues<Fields> | Refused {
  if (bytes.length < from + layout.size) return refuse(`${layout.name}: shorter than ${layout.size} bytes`)
  for (const [at, hex] of layout.constants) {
    const end = from + at + hex.length / 2
    if (bytes.toString('hex', from + at, end) !== hex) return refuse(`${layout.name}: not ${hex} at offset ${at}`)
  }
  const values: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(layout.fields)) {
    const value = readField(field, bytes, from + field[0])
    if (value === undefined) return refuse(`${layout.name}: ${name} is not printable text`)
    values[name] = value
  }
  return values as LayoutValues<Fields>
}

/**
 * Renders a record.
 *
 * @throws TypeError for a number outside its field, for text that is too long, not printable or ends in a blank, and for bytes of another size.
 */
export function formatLayout<const Fields extends Readonly<Record<string, LayoutField>>>(
  layout: RecordLayout<Fields>,
  values: LayoutValues<Fields>,
): Buffer {
  const bytes = Buffer.alloc(layout.size)
  for (const [at, hex] of layout.constants) bytes.write(hex, at, 'hex')
  for (const [name, field] of Object.entries(layout.fields)) writeField(field, bytes, values[name], `${layout.name}: ${name}`)
  return bytes
}

function readField(field: LayoutField, bytes: Buffer, at: number): number | string | Buffer | undefined {
  switch (field[1]) {
    case 'u8':
      return bytes.readUInt8(at)
    case 'u16':
      return bytes.readUInt16BE(at)
    case 'u32':
      return bytes.readUInt32BE(at)
    case 'i16':
      return bytes.readInt16BE(at)
    case 'i32':
      return bytes.readInt32BE(at)
    case 'text':
      return readPaddedText(bytes.subarray(at, at + field[2]))
    case 'bytes':
      return bytes.subarray(at, at + field[2])
  }
}

const numberRanges = {
  u8: [0, 0xff, 1],
  u16: [0, 0xffff, 2],
  u32: [0, 0xffff_ffff, 4],
  i16: [-0x8000, 0x7fff, 2],
  i32: [-0x8000_0000, 0x7fff_ffff, 4],
} as const

function writeField(field: LayoutField, bytes: Buffer, value: unknown, what: string): void {
  if (field[1] === 'text') {
    if (typeof value !== 'string' || !isPrintable(value)) throw new TypeError(`${what} is not printable text`)
    writePaddedText(bytes, field[0], field[2], value, field[3], what)
  } else if (field[1] === 'bytes') {
    if (!Buffer.isBuffer(value) || value.length !== field[2]) throw new TypeError(`${what} is not ${field[2]} bytes long`)
    value.copy(bytes, field[0])
  } else {
    const [least, most, size] = numberRanges[field[1]]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) throw new TypeError(`${what} does not fit`)
    if (least < 0) bytes.writeIntBE(value, field[0], size)
    else bytes.writeUIntBE(value, field[0], size)
  }
}
