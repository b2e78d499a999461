import { createBodyScanner, defaultHeadLimits, type HeadFields, parseRequestHead, type RequestHead } from '../src/index.ts'

/** One request as somebody read it from a connection. Text is Latin-1: one character is one byte. */
export interface ReadRequest {
  readonly method: string
  readonly target: string
  /** Name and value alternate, as on the wire. */
  readonly fields: readonly string[]
  /** Decoded. */
  readonly body: string
  /** `waiting`: the head is read, the body goes on. `refused`: the body is malformed. */
  readonly state: 'complete' | 'waiting' | 'refused'
}

/** Everything that somebody read from a connection, and why it stopped. */
export interface Reading {
  readonly requests: readonly ReadRequest[]
  /** `ended`: the last request ended the connection. `waiting`: for more of a head or body. `refused`: what comes next is malformed. */
  readonly end: 'ended' | 'waiting' | 'refused'
}

/** Sent behind every sample: whoever reads a body one byte too far or too short does not see it. */
export const sentinel: Buffer = Buffer.from('GET /sentinel HTTP/1.1\r\nHost: sentinel\r\nConnection: close\r\n\r\n', 'latin1')

/** Reads a whole connection with this package. */
export function readByUs(bytes: Buffer): Reading {
  const requests: ReadRequest[] = []
  for (let at = 0; at < bytes.length;) {
    const result = parseRequestHead(bytes, at, defaultHeadLimits)
    if (result.state !== 'complete') return { requests, end: result.state === 'refused' ? 'refused' : 'waiting' }
    const { head } = result
    const bodyStart = at + head.bytes
    if (head.method === 'CONNECT') {
      requests.push(asRead(head, bytes.toString('latin1', bodyStart), 'complete'))
      return { requests, end: 'ended' }
    }
    const scanner = createBodyScanner(head.framing)
    const bodyEnd = scanner.scan(bytes, bodyStart)
    const state = bodyEnd < 0 ? 'refused' : scanner.done ? 'complete' : 'waiting'
    const raw = bodyEnd < 0 ? '' : bytes.toString('latin1', bodyStart, bodyEnd)
    requests.push(asRead(head, head.framing.kind === 'chunked' && state === 'complete' ? decodeChunks(raw) : raw, state))
    if (state !== 'complete') return { requests, end: state }
    // Behind a request for an upgrade nothing may be sent before its answer: Node, for one, drops what has arrived with such a request.
    if (!head.keepAlive || head.upgrade !== undefined) return { requests, end: 'ended' }
    at = bodyEnd
  }
  return { requests, end: 'waiting' }
}

function asRead(head: RequestHead, body: string, state: ReadRequest['state']): ReadRequest {
  return { method: head.method, target: head.target, fields: fieldsOf(head), body, state }
}

/** Names as spelled and values in turn. */
export function fieldsOf(head: HeadFields): readonly string[] {
  return head.lines.flatMap((line, at) => [line.slice(0, line.indexOf(':')), head.values[at] ?? ''])
}

/** The data of a chunked body that is known to be well-formed. */
export function decodeChunks(raw: string): string {
  let data = ''
  for (let at = 0; ;) {
    const lineEnd = raw.indexOf('\r\n', at)
    const size = Number.parseInt(raw.slice(at, lineEnd), 16)
    if (size === 0) return data
    data += raw.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
  }
}

/**
 * Says where another reader understood what we accept differently, or `undefined`. It may refuse what we accept; what we refuse never reaches it, so
 * there it may read what it likes.
 */
export function disagreement(ours: Reading, theirs: Reading, same: (mine: ReadRequest, other: ReadRequest) => boolean): string | undefined {
  for (const [at, mine] of ours.requests.entries()) {
    const other = theirs.requests[at]
    if (other === undefined) return theirs.end === 'waiting' ? describe('is not read', mine, theirs) : undefined
    if (!same(mine, other)) return describe('has another head', mine, other)
    if (mine.state === 'refused' || other.state === 'refused') return undefined
    if (mine.state !== other.state) return describe('ends elsewhere', mine, other)
    if (mine.state === 'complete' && mine.body !== other.body) return describe('has another body', mine, other)
  }
  const surplus = theirs.requests[ours.requests.length]
  return ours.end === 'waiting' && surplus !== undefined ? describe('is followed by what we wait for', surplus, ours) : undefined
}

function describe(what: string, mine: unknown, other: unknown): string {
  return `a request ${what}: ${JSON.stringify(mine)} / ${JSON.stringify(other)}`
}
