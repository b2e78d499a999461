import { isHostValue } from './authority.ts'
import { readDeclaredLength } from './body-framing.ts'
import { CR, LF, SPACE, targetBytes, tokenBytes } from './character-classes.ts'
import { namesFraming, wantsKeepAlive } from './connection-options.ts'
import { type ControlFields, listMembers, readControlFields } from './control-fields.ts'
import { atBound, beginHead, type HeadReading, readFieldLines } from './field-lines.ts'
import { bareCarriageReturn, bareLineFeed, incomplete, refused, type Unfinished } from './refusal.ts'
import type { BodyFraming, HeadLimits, HeadResult, RequestHead } from './types.ts'

const lineTooLong = refused(414, 'the request line is too long')
const emptyLines = refused(400, 'more than one empty line before the request line')
const badMethod = refused(400, 'the request line does not begin with a method and one blank')
const badTarget = refused(400, 'the request target is empty or holds a character that is not allowed')
const badVersion = refused(400, 'the request line does not end with one blank and an HTTP version')
const unknownVersion = refused(505, 'HTTP/1.1 and HTTP/1.0 are served')
const noHost = refused(400, 'an HTTP/1.1 request without Host')
const secondHost = refused(400, 'more than one Host')
const badHost = refused(400, 'Host is not a host with an optional port')
const connectWithBody = refused(400, 'a CONNECT request with a body')
const framingOption = refused(400, 'Connection names a header that delimits or routes the message')

const noBody: BodyFraming = { kind: 'none' }
const chunkedBody: BodyFraming = { kind: 'chunked' }

/**
 * Reads one request head at `from`.
 *
 * Call it again with more bytes while the answer is `incomplete`; the answer never depends on how the bytes were split, and what exceeds a limit is refused
 * before its end has arrived. One empty line before the request line is skipped and counted in `bytes`. The strings of the head are slices of one string
 * that lives as long as any of them.
 */
export function parseRequestHead(bytes: Buffer, from: number, limits: HeadLimits): HeadResult<RequestHead> {
  let start = from
  // RFC 9112 §2.2 asks to ignore at least one: old clients end a body with a CRLF that is not counted. More of them is a sign of desynchronisation.
  if (bytes[start] === CR) {
    if (start + 1 >= bytes.length) return incomplete
    if (bytes[start + 1] !== LF) return bareCarriageReturn
    start += 2
    if (bytes[start] === CR) return emptyLines
  }
  const reading = beginHead(bytes, from, start, limits)
  const requestLine = readRequestLine(reading)
  if ('state' in requestLine) return requestLine

  const names: string[] = []
  const values: string[] = []
  const lines: string[] = []
  const end = readFieldLines(reading, requestLine.end, names, values, lines)
  if (typeof end !== 'number') return end

  const { minorVersion } = requestLine
  const fields = readControlFields(names, values)
  if (fields.hostCount > 1) return secondHost
  if (fields.host === undefined && minorVersion === 1) return noHost
  if (fields.host !== undefined && !isHostValue(fields.host)) return badHost
  const length = readDeclaredLength(fields, minorVersion)
  if (typeof length === 'object') return length
  const method = reading.text.slice(0, requestLine.methodEnd - start)
  if (method === 'CONNECT' && length !== undefined && length !== 0) return connectWithBody
  const connectionOptions = listMembers(fields.connection)
  if (connectionOptions.some(namesFraming)) return framingOption

  return {
    state: 'complete',
    head: {
      method,
      target: reading.text.slice(requestLine.methodEnd + 1 - start, requestLine.targetEnd - start),
      minorVersion,
      names,
      values,
      lines,
      framing: length === undefined ? noBody : length === 'chunked' ? chunkedBody : { kind: 'length', bytes: length },
      keepAlive: keepsConnection(minorVersion, connectionOptions, fields),
      upgrade: minorVersion === 1 && connectionOptions.includes('upgrade') ? upgradeOf(fields) : undefined,
      expectsContinue: minorVersion === 1 && listMembers(fields.expect).includes('100-continue'),
      connectionOptions,
      bytes: end - from,
    },
  }
}

interface RequestLine {
  readonly methodEnd: number
  readonly targetEnd: number
  readonly minorVersion: 0 | 1
  /** Behind the line end. */
  readonly end: number
}

function readRequestLine(reading: HeadReading): RequestLine | Unfinished {
  const { bytes, bound, textFrom: start, limits } = reading
  const lineBound = Math.min(bound, start + limits.maxLineBytes)
  let at = start

  while (at < lineBound && tokenBytes[bytes[at]!] === 1) at += 1
  if (at >= bound) return atBound(reading)
  if (bytes[at] !== SPACE || at === start || at >= lineBound) return badByte(bytes, at, lineBound, badMethod)
  const methodEnd = at

  at += 1
  while (at < lineBound && targetBytes[bytes[at]!] === 1) at += 1
  if (at >= bound) return atBound(reading)
  if (bytes[at] !== SPACE || at === methodEnd + 1 || at >= lineBound) return badByte(bytes, at, lineBound, badTarget)
  const targetEnd = at

  at += 1
  while (at < lineBound && targetBytes[bytes[at]!] === 1) at += 1
  if (at >= bound) return atBound(reading)
  if (bytes[at] !== CR) return badByte(bytes, at, lineBound, badVersion)
  const version = at - targetEnd === 9 ? readVersion(bytes, targetEnd + 1) : undefined
  if (version === undefined) return badVersion
  if (version !== 11 && version !== 10) return unknownVersion
  if (at + 1 >= bound) return atBound(reading)
  if (bytes[at + 1] !== LF) return bareCarriageReturn
  return { methodEnd, targetEnd, minorVersion: version === 11 ? 1 : 0, end: at + 2 }
}

function badByte(bytes: Buffer, at: number, lineBound: number, otherwise: Unfinished): Unfinished {
  if (at >= lineBound && bytes[at] !== CR) return lineTooLong
  return bytes[at] === LF ? bareLineFeed : otherwise
}

/** Ten times major plus minor of `HTTP/d.d` at `at`. */
export function readVersion(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] !== 0x48 || bytes[at + 1] !== 0x54 || bytes[at + 2] !== 0x54 || bytes[at + 3] !== 0x50 || bytes[at + 4] !== 0x2f)
    return undefined
  const major = bytes[at + 5]! - 0x30
  const minor = bytes[at + 7]! - 0x30
  return bytes[at + 6] === 0x2e && major >= 0 && major <= 9 && minor >= 0 && minor <= 9 ? major * 10 + minor : undefined
}

/** `Proxy-Connection` is not in any standard; clients that speak to proxies send it instead of `Connection` all the same. */
function keepsConnection(minorVersion: 0 | 1, options: readonly string[], fields: ControlFields): boolean {
  return wantsKeepAlive(minorVersion, fields.proxyConnection === undefined ? options : [...options, ...listMembers(fields.proxyConnection)])
}

function upgradeOf(fields: ControlFields): string | undefined {
  const protocols = listMembers(fields.upgrade)
  return protocols.length === 0 ? undefined : protocols.join(', ')
}
