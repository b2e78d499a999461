import { readDeclaredLength } from './body-framing.ts'
import { CR, LF, SPACE, valueBytes } from './character-classes.ts'
import { namesFraming, wantsKeepAlive } from './connection-options.ts'
import { listMembers, readControlFields } from './control-fields.ts'
import { atBound, beginHead, type HeadReading, readFieldLines } from './field-lines.ts'
import { bareCarriageReturn, bareLineFeed, refused, type Unfinished } from './refusal.ts'
import { readVersion } from './request-head.ts'
import type { BodyFraming, HeadLimits, HeadResult, ResponseHead } from './types.ts'

const lineTooLong = refused(431, 'the status line is too long')
const badStatusLine = refused(400, 'the response does not begin with an HTTP version, a status and one blank each')
const unknownVersion = refused(505, 'the response is neither HTTP/1.1 nor HTTP/1.0')
const badReason = refused(400, 'a control character in the status line')

const noBody: BodyFraming = { kind: 'none' }
const chunkedBody: BodyFraming = { kind: 'chunked' }
const untilClose: BodyFraming = { kind: 'until-close' }

/** `HTTP/1.1 200 ` */
const prefixBytes = 13

/**
 * Reads one response head at `from`; behaves as {@link parseRequestHead} does. Interim responses (1xx) are read like others, with no body.
 *
 * `requestMethod` is the method of the request that is answered, because answers to `HEAD` and successful ones to `CONNECT` have no body whatever their
 * headers say. A refusal's status is what a server would say of a request with that fault; who relays the answer turns it into 502.
 */
export function parseResponseHead(bytes: Buffer, from: number, requestMethod: string, limits: HeadLimits): HeadResult<ResponseHead> {
  const reading = beginHead(bytes, from, from, limits)
  const statusLine = readStatusLine(reading)
  if ('state' in statusLine) return statusLine

  const names: string[] = []
  const values: string[] = []
  const lines: string[] = []
  const end = readFieldLines(reading, statusLine.end, names, values, lines)
  if (typeof end !== 'number') return end

  const { minorVersion, status } = statusLine
  const fields = readControlFields(names, values)
  const length = readDeclaredLength(fields, minorVersion)
  if (typeof length === 'object') return length
  const framing = hasNoBody(status, requestMethod) ? noBody : framingOf(length)
  const options = listMembers(fields.connection)
  return {
    state: 'complete',
    head: {
      minorVersion,
      status,
      reason: reading.text.slice(prefixBytes, statusLine.reasonEnd - from),
      names,
      values,
      lines,
      framing,
      keepAlive: framing.kind !== 'until-close' && wantsKeepAlive(minorVersion, options),
      // Servers are known to send `Connection: Transfer-Encoding`; whoever removes what is listed here must not remove that.
      connectionOptions: options.some(namesFraming) ? options.filter((option) => !namesFraming(option)) : options,
      bytes: end - from,
    },
  }
}

/** RFC 9112 §6.3, rules 1 and 2. */
function hasNoBody(status: number, requestMethod: string): boolean {
  if (status < 200 || status === 204 || status === 304 || requestMethod === 'HEAD') return true
  return requestMethod === 'CONNECT' && status < 300
}

function framingOf(length: number | 'chunked' | undefined): BodyFraming {
  if (length === undefined) return untilClose
  return length === 'chunked' ? chunkedBody : { kind: 'length', bytes: length }
}

interface StatusLine {
  readonly minorVersion: 0 | 1
  readonly status: number
  readonly reasonEnd: number
  /** Behind the line end. */
  readonly end: number
}

function readStatusLine(reading: HeadReading): StatusLine | Unfinished {
  const { bytes, from, bound, limits } = reading
  const lineBound = Math.min(bound, from + limits.maxLineBytes)
  let at = from
  while (at < lineBound && valueBytes[bytes[at]!] === 1) at += 1
  if (at >= bound) return atBound(reading)
  if (bytes[at] !== CR) {
    if (at >= lineBound) return lineTooLong
    return bytes[at] === LF ? bareLineFeed : badReason
  }
  const version = at - from < prefixBytes ? undefined : readVersion(bytes, from)
  if (version === undefined || bytes[from + 8] !== SPACE || bytes[from + 12] !== SPACE) return badStatusLine
  if (version !== 11 && version !== 10) return unknownVersion
  const status = readStatus(bytes, from + 9)
  if (status === undefined) return badStatusLine
  if (at + 1 >= bound) return atBound(reading)
  if (bytes[at + 1] !== LF) return bareCarriageReturn
  return { minorVersion: version === 11 ? 1 : 0, status, reasonEnd: at, end: at + 2 }
}

/** Three digits, 100 to 599: RFC 9110 §15 calls the rest invalid. */
function readStatus(bytes: Buffer, at: number): number | undefined {
  const hundreds = bytes[at]! - 0x30
  const tens = bytes[at + 1]! - 0x30
  const ones = bytes[at + 2]! - 0x30
  if (hundreds < 1 || hundreds > 5 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return undefined
  return hundreds * 100 + tens * 10 + ones
}
