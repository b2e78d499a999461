import { cpicTags } from './cpic-tags.ts'
import { maxChainFields } from './limits.ts'
import { type Refused, refuse } from './refusal.ts'

/** One field of a chain. */
export interface CpicField {
  /** One of {@link cpicTags}, or a tag that we do not know. */
  readonly tag: number
  /** A view of what was parsed. */
  readonly value: Buffer
}

/** A chain that was read to its end. */
export interface CpicChain {
  /** Whether the chain begins with the signature of a logon. */
  readonly logon: boolean
  /** Without the field that ends the chain. */
  readonly fields: readonly CpicField[]
  /** Bytes of signature, fields and end. */
  readonly bytes: number
}

/** Reads a chain field by field, for readers that decide before its end has arrived. */
export interface ChainCursor {
  /** Whether the chain begins with the signature of a logon. */
  readonly logon: boolean
  /** Offset behind what was read. */
  readonly at: number
  /** The next field; `'end'` behind the last; `'truncated'` where the bytes end before the field does. Stays at the last three. */
  next(): CpicField | 'end' | 'truncated' | Refused
}

/** `RFC000000000` in EBCDIC: stands in front of a logon. */
export const logonSignature: Buffer = Buffer.from('d9c6c3f0f0f0f0f0f0f0f0f0', 'hex')

/** What may begin a chain. */
const firstTags: ReadonlySet<number> = new Set([cpicTags.start, cpicTags.reply, cpicTags.call])

const extendedLength = 0xffff

/** Begins to read at the start of the bytes. */
export function createChainCursor(bytes: Buffer): ChainCursor {
  const logon = bytes.subarray(0, logonSignature.length).equals(logonSignature)
  let at = logon ? logonSignature.length : 0
  let previous: number | undefined
  let last: 'end' | 'truncated' | Refused | undefined

  function read(): CpicField | 'end' | 'truncated' | Refused {
    let from = at
    if (previous !== undefined) {
      if (from + 2 > bytes.length) return 'truncated'
      const repeated = bytes.readUInt16BE(from)
      if (repeated !== previous) return refuse(`chain: ${hex(previous)} is closed by ${hex(repeated)}`)
      from += 2
    }
    if (from + 4 > bytes.length) return 'truncated'
    const tag = bytes.readUInt16BE(from)
    let length = bytes.readUInt16BE(from + 2)
    from += 4
    if (previous === undefined && !firstTags.has(tag)) return refuse(`chain: begins with ${hex(tag)}`)
    if (tag === cpicTags.end) {
      if (length !== 0) return refuse('chain: the end has a length')
      if (from + 2 > bytes.length) return 'truncated'
      if (bytes.readUInt16BE(from) !== cpicTags.end) return refuse('chain: the end is not repeated')
      at = from + 2
      return 'end'
    }
    if (length === extendedLength) {
      if (from + 4 > bytes.length) return 'truncated'
      length = bytes.readUInt32BE(from)
      from += 4
    }
    if (length > bytes.length - from) return 'truncated'
    at = from + length
    previous = tag
    return { tag, value: bytes.subarray(from, at) }
  }

  return {
    logon,
    get at() {
      return at
    },
    next() {
      if (last !== undefined) return last
      const result = read()
      if (typeof result === 'string' || 'refused' in result) last = result
      return result
    },
  }
}

/** Reads a whole chain at the start of the bytes; what follows its end is the caller's. */
export function parseChain(bytes: Buffer): CpicChain | Refused {
  const cursor = createChainCursor(bytes)
  const fields: CpicField[] = []
  for (;;) {
    const next = cursor.next()
    if (next === 'truncated') return refuse('chain: cut off')
    if (next === 'end') return { logon: cursor.logon, fields, bytes: cursor.at }
    if ('refused' in next) return next
    if (fields.length === maxChainFields) return refuse(`chain: more than ${maxChainFields} fields`)
    fields.push(next)
  }
}

/**
 * Renders a chain with its end.
 *
 * @throws TypeError unless the first tag is one that may begin a chain, and for tags that are not two bytes or are the end.
 */
export function formatChain(fields: readonly CpicField[], options: { readonly logon: boolean }): Buffer {
  const [first] = fields
  if (first === undefined || !firstTags.has(first.tag)) throw new TypeError('a chain begins with 0101, 0500 or 0502')
  if (fields.length > maxChainFields) throw new TypeError(`a chain has at most ${maxChainFields} fields`)
  let bytes = options.logon ? logonSignature.length : 0
  for (const { tag, value } of fields) {
    if (!Number.isInteger(tag) || tag < 0 || tag >= cpicTags.end) throw new TypeError('a tag is two bytes and not the end')
    bytes += 6 + value.length + (value.length < extendedLength ? 0 : 4)
  }
  const chain = Buffer.allocUnsafe(bytes + 6)
  let at = options.logon ? logonSignature.copy(chain) : 0
  for (const { tag, value } of fields) {
    at = chain.writeUInt16BE(tag, at)
    at = chain.writeUInt16BE(Math.min(value.length, extendedLength), at)
    if (value.length >= extendedLength) at = chain.writeUInt32BE(value.length, at)
    at += value.copy(chain, at)
    at = chain.writeUInt16BE(tag, at)
  }
  at = chain.writeUInt16BE(cpicTags.end, at)
  at = chain.writeUInt16BE(0, at)
  chain.writeUInt16BE(cpicTags.end, at)
  return chain
}

/** The value of the first field with a tag. */
export function fieldValue(fields: readonly CpicField[], tag: number): Buffer | undefined {
  return fields.find((field) => field.tag === tag)?.value
}

function hex(tag: number): string {
  return tag.toString(16).padStart(4, '0')
}
