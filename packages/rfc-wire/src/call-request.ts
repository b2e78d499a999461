import { type CpicChain, type CpicField, formatChain } from './cpic-chain.ts'
import { cpicTags } from './cpic-tags.ts'
import { maxFunctionNameLength, maxXmlFieldBytes } from './limits.ts'
import { type Refused, refuse } from './refusal.ts'
import { formatWireText, readTrimmedText, type WireEncoding } from './wire-text.ts'

/** One parameter as it stands in a request or reply. Names are those of the interface. */
export type WireParameter =
  | { readonly kind: 'value'; readonly name: string; readonly value: Buffer }
  /** Rows of a table of flat rows, all of `rowBytes`. */
  | { readonly kind: 'table'; readonly name: string; readonly rowBytes: number; readonly rows: readonly Buffer[] }
  /** A deep parameter: XML whose outermost element is the name. */
  | { readonly kind: 'xml'; readonly xml: string }

/** A call in its short form. */
export interface CallRequest {
  /** Three characters, such as `754`. */
  readonly release: string
  readonly functionName: string
  /** Parameters whose values the caller wants back. */
  readonly wantedOutputs: readonly string[]
  readonly inputs: readonly WireParameter[]
}

const nothing = Buffer.alloc(0)

/**
 * Renders the chain of a call, in the order of protocols.md 11.8, in UTF-16LE.
 *
 * @throws TypeError for names that do not fit and for rows of another length than the table's.
 */
export function formatCallRequest(call: CallRequest): Buffer {
  if (call.functionName.length > maxFunctionNameLength || !/^[\x21-\x7e]+$/.test(call.functionName))
    throw new TypeError('a function has 1 to 30 printable characters')
  const text = (value: string): Buffer => formatWireText(value, 'utf16le')
  const fields: CpicField[] = [
    { tag: cpicTags.call, value: nothing },
    { tag: cpicTags.callerRelease, value: text(call.release) },
    { tag: cpicTags.functionName, value: text(call.functionName) },
    { tag: cpicTags.parameters, value: nothing },
    ...call.wantedOutputs.map((name) => ({ tag: cpicTags.wantedOutput, value: text(name) })),
    ...call.inputs.flatMap((input) => formatParameter(input)),
  ]
  return formatChain(fields, { logon: false })
}

/** Reads the chain of a call in either form, for peers that play server. */
export function readCallRequest(chain: CpicChain, encoding: WireEncoding): CallRequest | Refused {
  const names = { release: '', functionName: '' }
  const wantedOutputs: string[] = []
  const begin = chain.fields.findIndex(({ tag }) => tag === cpicTags.parameters)
  const head = begin < 0 ? chain.fields : chain.fields.slice(0, begin)
  for (const { tag, value } of head) {
    if (tag !== cpicTags.callerRelease && tag !== cpicTags.functionName) continue
    const text = readTrimmedText(value, encoding)
    if (text === undefined) return refuse('call: a name is not text of this connection')
    names[tag === cpicTags.functionName ? 'functionName' : 'release'] = text
  }
  if (names.functionName === '') return refuse('call: no function')
  const rest = begin < 0 ? [] : chain.fields.slice(begin + 1)
  for (const { tag, value } of rest) {
    const text = tag === cpicTags.wantedOutput ? readTrimmedText(value, encoding) : undefined
    if (text !== undefined) wantedOutputs.push(text)
  }
  const inputs = readParameters(rest, encoding)
  return 'refused' in inputs ? inputs : { ...names, wantedOutputs, inputs }
}

/** The fields of one parameter; throws TypeError for rows of another length than the table's. */
export function formatParameter(parameter: WireParameter): readonly CpicField[] {
  switch (parameter.kind) {
    case 'value':
      return [
        { tag: cpicTags.parameterName, value: formatWireText(parameter.name, 'utf16le') },
        { tag: cpicTags.parameterValue, value: parameter.value },
      ]
    case 'table': {
      const shape = Buffer.alloc(8)
      shape.writeUInt32BE(parameter.rowBytes)
      shape.writeUInt32BE(parameter.rows.length, 4)
      if (parameter.rows.some((row) => row.length !== parameter.rowBytes))
        throw new TypeError(`a row of ${parameter.name} has another length`)
      return [
        { tag: cpicTags.tableName, value: formatWireText(parameter.name, 'utf16le') },
        { tag: cpicTags.tableShape, value: shape },
        ...parameter.rows.map((row) => ({ tag: cpicTags.tableRow, value: row })),
      ]
    }
    case 'xml': {
      const xml = Buffer.from(parameter.xml, 'utf8')
      const texts: CpicField[] = []
      for (let at = 0; at < xml.length; at += maxXmlFieldBytes)
        texts.push({ tag: cpicTags.xmlText, value: xml.subarray(at, at + maxXmlFieldBytes) })
      return [{ tag: cpicTags.xmlParameter, value: nothing }, ...texts, { tag: cpicTags.xmlParameter, value: nothing }]
    }
  }
}

/**
 * Collects the parameters among fields; fields that we do not know are passed over. A row that is shorter than its table's rows is filled by repeating its last
 * byte. A table has to have as many rows as it states; compressed rows are refused.
 */
export function readParameters(fields: readonly CpicField[], encoding: WireEncoding): readonly WireParameter[] | Refused {
  const parameters: WireParameter[] = []
  let at = 0
  while (at < fields.length) {
    const read = readParameter(fields, at, encoding)
    if (read === undefined) {
      const tag = fields[at]?.tag ?? 0
      if (strayTags.has(tag)) return refuse(`parameters: ${tag.toString(16).padStart(4, '0')} without what it belongs to`)
      at += 1
    } else if ('refused' in read) {
      return read
    } else {
      parameters.push(read.parameter)
      at = read.end
    }
  }
  return parameters
}

/** Fields that belong to one in front of them. */
const strayTags: ReadonlySet<number> = new Set([
  cpicTags.parameterValue,
  cpicTags.tableShape,
  cpicTags.tableRow,
  cpicTags.tableRowPlain,
  cpicTags.compressedRows,
  cpicTags.xmlText,
])

interface ReadParameter {
  readonly parameter: WireParameter
  readonly end: number
}

function readParameter(fields: readonly CpicField[], at: number, encoding: WireEncoding): ReadParameter | Refused | undefined {
  const tag = fields[at]?.tag
  if (tag === cpicTags.parameterName) return readValue(fields, at, encoding)
  if (tag === cpicTags.tableName) return readTable(fields, at, encoding)
  return tag === cpicTags.xmlParameter ? readXml(fields, at) : undefined
}

function readValue(fields: readonly CpicField[], at: number, encoding: WireEncoding): ReadParameter | Refused {
  const name = readTrimmedText(fields[at]?.value ?? nothing, encoding)
  const next = fields[at + 1]
  if (name === undefined || name === '') return refuse('parameters: a name is not text of this connection')
  if (next?.tag !== cpicTags.parameterValue) return refuse('parameters: a name without a value')
  return { parameter: { kind: 'value', name, value: next.value }, end: at + 2 }
}

function readTable(fields: readonly CpicField[], at: number, encoding: WireEncoding): ReadParameter | Refused {
  const name = readTrimmedText(fields[at]?.value ?? nothing, encoding)
  if (name === undefined || name === '') return refuse('parameters: a table name is not text of this connection')
  let next = at + 1
  if (fields[next]?.tag === cpicTags.tableHandle) next += 1
  const shape = fields[next]
  if (shape?.tag !== cpicTags.tableShape || shape.value.length !== 8) return refuse('parameters: a table without its shape')
  const rowBytes = shape.value.readUInt32BE(0)
  const rowCount = shape.value.readUInt32BE(4)
  const rows: Buffer[] = []
  for (next += 1; next < fields.length; next += 1) {
    const { tag, value } = fields[next]!
    if (tag === cpicTags.compressedRows) return refuse('parameters: compressed rows')
    if (tag !== cpicTags.tableRow && tag !== cpicTags.tableRowPlain) break
    const row = value.length === rowBytes ? value : tag === cpicTags.tableRow ? filledRow(value, rowBytes) : undefined
    if (row === undefined) return refuse('parameters: a row has another length than its table states')
    rows.push(row)
  }
  if (fields[next]?.tag === cpicTags.tableEnd) next += 1
  if (rows.length !== rowCount) return refuse('parameters: a table has another number of rows than it states')
  return { parameter: { kind: 'table', name, rowBytes, rows }, end: next }
}

/** No structure of the dictionary is wider, so a short row cannot make us take more memory than this. */
const maxFilledRowBytes = 0x10000

function filledRow(value: Buffer, rowBytes: number): Buffer | undefined {
  const last = value.at(-1)
  if (last === undefined || value.length > rowBytes || rowBytes > maxFilledRowBytes) return undefined
  const row = Buffer.alloc(rowBytes, last)
  value.copy(row)
  return row
}

function readXml(fields: readonly CpicField[], at: number): ReadParameter | Refused {
  let end = at + 1
  while (fields[end]?.tag === cpicTags.xmlText) end += 1
  if (fields[end]?.tag !== cpicTags.xmlParameter) return refuse('parameters: XML without its end')
  const xml = Buffer.concat(fields.slice(at + 1, end).map(({ value }) => value))
  return { parameter: { kind: 'xml', xml: xml.toString('utf8') }, end: end + 1 }
}
