import { type ChainCursor, createChainCursor } from './cpic-chain.ts'
import { cpicTags, identityTags } from './cpic-tags.ts'
import { maxFunctionNameLength } from './limits.ts'
import { type Refused, refuse } from './refusal.ts'
import { readWireText, type WireEncoding } from './wire-text.ts'

/** What the first record of a request says about what it asks for. */
export interface RequestedFunction {
  readonly logon: boolean
  /** As it will be called: 1 to 30 characters, without blanks at the end. */
  readonly functionName: string
}

/** The name stands in front of all of these. */
const behindName: ReadonlySet<number> = new Set([cpicTags.parameters, cpicTags.parameterName, cpicTags.tableName, cpicTags.xmlParameter])

/** How a request may begin once the logon is done: short, or full. */
const fullCallStart = '0301010504010003'
const logonStart = '0301010101010000'

/**
 * Finds which function a request calls, for deciding before a byte of it is passed on: protocols.md 12.4.
 *
 * `data` is what the first record brings. The name has to stand in it, whole and once, before the parameters; everything that two readers could understand
 * differently is refused. With `whole` set, the request ends with this data: then its chain has to end there as well, and no second name may follow the
 * parameters. A call says nothing about who logs on. A logon is read as ASCII, whatever `encoding` says.
 */
export function readRequestedFunction(
  data: Buffer,
  options: { readonly encoding: WireEncoding; readonly whole: boolean },
): RequestedFunction | Refused {
  const cursor = createChainCursor(data)
  const { logon } = cursor
  const name = findName(cursor, options.whole)
  if ('refused' in name) return name
  if (options.whole && cursor.at !== data.length) return refuse('request: bytes behind its end')
  const functionName = readFunctionName(name.value, logon ? 'ascii' : options.encoding)
  return typeof functionName === 'string' ? { logon, functionName } : functionName
}

function findName(cursor: ChainCursor, whole: boolean): { readonly value: Buffer } | Refused {
  const { logon } = cursor
  let found: Buffer | undefined
  for (let first = true; ; first = false) {
    const field = cursor.next()
    if (field === 'truncated') return refuse('request: cut off before its parameters')
    if (field === 'end') break
    if ('refused' in field) return field
    const { tag, value } = field
    if (first && !beginsRequest(tag, value, logon)) return refuse('request: begins like something else')
    if (!logon && identityTags.has(tag)) return refuse('request: logs on, but is no logon')
    if (behindName.has(tag)) {
      if (found === undefined) return refuse('request: parameters in front of the function')
      if (!whole) break
    }
    if (tag !== cpicTags.functionName) continue
    if (found !== undefined) return refuse('request: two functions')
    found = value
  }
  return found === undefined ? refuse('request: no function') : { value: found }
}

function beginsRequest(tag: number, value: Buffer, logon: boolean): boolean {
  if (logon) return tag === cpicTags.start && value.toString('hex') === logonStart
  if (tag === cpicTags.call) return value.length === 0
  return tag === cpicTags.start && value.toString('hex') === fullCallStart
}

function readFunctionName(value: Buffer, encoding: WireEncoding): string | Refused {
  const text = readWireText(value, encoding)
  if (text === undefined) return refuse('request: the function is not text of this connection')
  const name = text.replace(/ +$/, '')
  if (!/^[\x21-\x7e]+$/.test(name)) return refuse('request: characters that no function name has')
  return name.length > maxFunctionNameLength ? refuse('request: a function name that is too long') : name
}
