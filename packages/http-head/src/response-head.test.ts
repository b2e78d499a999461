import { describe, expect, it } from 'vitest'
import { defaultHeadLimits, type HeadLimits, parseResponseHead, type ResponseHead } from './index.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`

function parsed(text: string, method = 'GET'): ResponseHead {
  const result = parseResponseHead(bytesOf(text), 0, method, defaultHeadLimits)
  if (result.state !== 'complete') throw new Error(`not complete: ${JSON.stringify(result)}`)
  return result.head
}

function outcome(text: string, limits: HeadLimits = defaultHeadLimits): number | string {
  const result = parseResponseHead(bytesOf(text), 0, 'GET', limits)
  return result.state === 'refused' ? result.refusal.status : result.state
}

describe('a response head', () => {
  it('is read into its parts, with the lines as they came', () => {
    const text = head('HTTP/1.1 404 Nicht \xfcbel', 'Content-Length: 3', 'Set-Cookie: a=1', 'set-cookie: b=2', 'Connection: X-Hop')
    expect(parsed(text)).toEqual({
      minorVersion: 1,
      status: 404,
      reason: 'Nicht \xfcbel',
      names: ['content-length', 'set-cookie', 'set-cookie', 'connection'],
      values: ['3', 'a=1', 'b=2', 'X-Hop'],
      lines: ['Content-Length: 3', 'Set-Cookie: a=1', 'set-cookie: b=2', 'Connection: X-Hop'],
      framing: { kind: 'length', bytes: 3 },
      keepAlive: true,
      connectionOptions: ['x-hop'],
      bytes: text.length,
    })
  })

  it('may have no reason, but its blank', () => {
    expect(parsed(head('HTTP/1.1 200 ')).reason).toBe('')
    expect(outcome(head('HTTP/1.1 200'))).toBe(400)
  })

  it('may be an interim one, which is read alone', () => {
    const interim = head('HTTP/1.1 100 Continue')
    const text = interim + head('HTTP/1.1 200 OK', 'Content-Length: 0')
    expect(parsed(text)).toMatchObject({ status: 100, framing: { kind: 'none' }, keepAlive: true, bytes: interim.length })
    const next = parseResponseHead(bytesOf(text), interim.length, 'GET', defaultHeadLimits)
    expect(next.state === 'complete' && next.head.status).toBe(200)
  })

  it.each([
    ['', 'incomplete'],
    ['HTTP/1.1 200 OK\r', 'incomplete'],
    ['\r\nHTTP/1.1 200 OK\r\n', 400],
    ['HTTP/1.1 200 OK\n', 400],
    ['HTTP/1.1 200 OK\rX', 400],
    ['HTTP/1.1  200 OK\r\n', 400],
    ['HTTP/1.1 20 OK\r\n', 400],
    ['HTTP/1.1 2000 OK\r\n', 400],
    ['HTTP/1.1 099 OK\r\n', 400],
    ['HTTP/1.1 600 OK\r\n', 400],
    ['HTTP/1.1 2x0 OK\r\n', 400],
    ['HTTP/1.1\t200 OK\r\n', 400],
    ['HTTP/1.1 200\tOK\r\n', 400],
    ['ICY 200 OK whatever\r\n', 400],
    ['http/1.1 200 OK\r\n', 400],
    ['HTTP/1.1 200 O\0K\r\n', 400],
    ['HTTP/2.0 200 OK\r\n', 505],
    ['HTTP/1.1 200 OK\r\nX : y\r\n', 400],
    ['HTTP/1.1 200 OK\r\nX: y\r\n z', 400],
    ['HTTP/1.1 200 OK\r\nX: y\nZ: a', 400],
  ])('%j is answered %s', (text, expected) => {
    expect(outcome(text)).toBe(expected)
  })

  it('is bounded like a request head', () => {
    const limits: HeadLimits = { maxLineBytes: 20, maxHeaderCount: 2, maxHeadBytes: 60 }
    expect(outcome(head(`HTTP/1.1 200 ${'x'.repeat(7)}`), limits)).toBe('complete')
    expect(outcome(`HTTP/1.1 200 ${'x'.repeat(8)}`, limits)).toBe(431)
    expect(outcome(head('HTTP/1.1 200 ', `A: ${'x'.repeat(18)}`), limits)).toBe(431)
    expect(outcome(head('HTTP/1.1 200 ', 'A: a', 'B: b', 'C: c'), limits)).toBe(431)
    expect(outcome(`HTTP/1.1 200 \r\nA: ${'x'.repeat(17)}\r\nB: ${'x'.repeat(17)}\r\nC`, limits)).toBe(431)
  })
})

describe('the framing of a response', () => {
  it.each([
    ['GET', 200, [], 'until-close'],
    ['GET', 200, ['Content-Length: 0'], 'length'],
    ['GET', 200, ['Transfer-Encoding: chunked'], 'chunked'],
    ['HEAD', 200, ['Content-Length: 5'], 'none'],
    ['HEAD', 200, ['Transfer-Encoding: chunked'], 'none'],
    ['head', 200, ['Content-Length: 5'], 'length'],
    ['GET', 101, [], 'none'],
    ['GET', 103, [], 'none'],
    ['GET', 204, ['Content-Length: 5'], 'none'],
    ['GET', 205, ['Content-Length: 0'], 'length'],
    ['GET', 304, ['Content-Length: 5'], 'none'],
    ['CONNECT', 200, ['Content-Length: 5'], 'none'],
    ['CONNECT', 299, [], 'none'],
    ['CONNECT', 407, ['Content-Length: 5'], 'length'],
  ])('%s answered with %i and %j is %s', (method, status, lines, kind) => {
    expect(parsed(head(`HTTP/1.1 ${status} X`, ...lines), method).framing.kind).toBe(kind)
  })

  it.each([
    [['Content-Length: 1', 'Content-Length: 1'], 400],
    [['Content-Length: 1', 'Transfer-Encoding: chunked'], 400],
    [['Transfer-Encoding: gzip, chunked'], 400],
    [['Transfer-Encoding: identity'], 501],
    [['Content-Length: 1;'], 400],
  ])('%j is answered %s', (lines, expected) => {
    expect(outcome(head('HTTP/1.1 200 OK', ...lines))).toBe(expected)
  })

  it('admits no transfer coding in HTTP/1.0', () => {
    expect(outcome(head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'))).toBe(400)
  })
})

describe('what a response says of its connection', () => {
  it.each([
    ['HTTP/1.1', ['Content-Length: 0'], true],
    ['HTTP/1.1', ['Content-Length: 0', 'Connection: Close'], false],
    ['HTTP/1.1', [], false],
    ['HTTP/1.0', ['Content-Length: 0'], false],
    ['HTTP/1.0', ['Content-Length: 0', 'Connection: keep-alive'], true],
    ['HTTP/1.1', ['Content-Length: 0', 'Proxy-Connection: close'], true],
  ])('%s with %j keeps it: %s', (version, lines, keepAlive) => {
    expect(parsed(head(`${version} 200 OK`, ...lines)).keepAlive).toBe(keepAlive)
  })

  it('leaves options out that name framing headers, as some servers send them', () => {
    expect(parsed(head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Connection: Transfer-Encoding, X-Hop')).connectionOptions).toEqual(
      ['x-hop'],
    )
  })
})
