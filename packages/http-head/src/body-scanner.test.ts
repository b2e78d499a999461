import { describe, expect, it } from 'vitest'
import { type BodyFraming, type BodyScannerOptions, createBodyScanner } from './index.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Scans the text in pieces of every length from 1 to all of it and requires the same answer: the end of the body, `'more'` or `'refused'`. */
function scanned(framing: BodyFraming, text: string, options?: BodyScannerOptions): number | string {
  const answers = new Set<number | string>()
  for (const size of new Set([text.length, 1, 2, 3, 7, 64])) answers.add(scanInPieces(framing, text, Math.max(1, size), options))
  const [answer, ...others] = answers
  if (answer === undefined || others.length > 0) throw new Error(`depends on the split: ${[...answers].join(', ')}`)
  return answer
}

function scanInPieces(framing: BodyFraming, text: string, size: number, options?: BodyScannerOptions): number | string {
  const body = createBodyScanner(framing, options)
  for (let at = 0; at < text.length && !body.done; at += size) {
    // Read from behind a prefix, because a body rarely begins where a chunk does.
    const piece = bytesOf(`##${text.slice(at, at + size)}`)
    const end = body.scan(piece, 2)
    if (end < 0) {
      expect(body.scan(bytesOf('0\r\n\r\n'), 0)).toBe(-1)
      return 'refused'
    }
    if (body.done) return at + end - 2
    expect(end).toBe(piece.length)
  }
  return body.done ? 0 : 'more'
}

const chunked: BodyFraming = { kind: 'chunked' }

describe('a body', () => {
  it('of kind none is over before it begins', () => {
    const body = createBodyScanner({ kind: 'none' })
    expect(body.done).toBe(true)
    expect(body.scan(bytesOf('next'), 2)).toBe(2)
  })

  it('with a length ends after as many bytes', () => {
    expect(scanned({ kind: 'length', bytes: 0 }, 'next')).toBe(0)
    expect(scanned({ kind: 'length', bytes: 5 }, '12345next')).toBe(5)
    expect(scanned({ kind: 'length', bytes: 5 }, '1234')).toBe('more')
  })

  it('until close never ends', () => {
    expect(scanned({ kind: 'until-close' }, 'anything')).toBe('more')
  })

  it('stays done, and takes nothing more', () => {
    for (const [framing, text] of [
      [{ kind: 'length', bytes: 1 }, 'x'],
      [chunked, '0\r\n\r\n'],
    ] as const) {
      const body = createBodyScanner(framing)
      expect(body.scan(bytesOf(text), 0)).toBe(text.length)
      expect(body.scan(bytesOf('GET / HTTP/1.1'), 3)).toBe(3)
      expect(body.done).toBe(true)
    }
  })
})

describe('a chunked body', () => {
  it.each([
    '0\r\n\r\n',
    '000\r\n\r\n',
    '5\r\nhello\r\n0\r\n\r\n',
    'a\r\n\r\n0\r\n\r\n..\x00\r\n00\r\n\r\n',
    '1;ext\r\nx\r\n0;last=1\r\n\r\n',
    '1;a="q\\"; b"\r\nx\r\n0\r\n\r\n',
    '00000000000000fF\r\n' + 'x'.repeat(255) + '\r\n0\r\n\r\n',
    '1\r\nx\r\n0\r\nX-Sum: abc\r\nx-empty:\r\nX-Text: \xe4\t \r\n\r\n',
  ])('%j ends at its end', (text) => {
    expect(scanned(chunked, `${text}GET / HTTP/1.1\r\n\r\n`)).toBe(text.length)
    expect(scanned(chunked, text.slice(0, -1))).toBe('more')
  })

  it.each([
    '\r\n',
    'g\r\n',
    '0x5\r\nhello',
    '-1\r\n',
    '+1\r\n',
    ' 5\r\nhello',
    '5 \r\nhello',
    '5 ;ext\r\nhello',
    '5\t\r\nhello',
    '5\nhello',
    '5\rhello',
    '5\r\nhello\n0',
    '5\r\nhello0\r\n',
    '5\r\nhello\r0',
    '5\r\nhelloo\r\n',
    '5;e\nx\r\nhello',
    '5;e\rx\r\nhello',
    '5;\0\r\nhello',
    '5;\x7f\r\nhello',
    '5;\xe4\r\nhello',
    '5;\ta\r\nhello',
    '5_0\r\n',
    '5,5\r\n',
    '5\r\r\nhello',
    '20000000000000\r\n',
    'ffffffffffffffff\r\n',
    '00000000000000001\r\n',
    '0\n\r\n',
    '0\r\n\n',
    '0\r\n\rX',
    '0\r\nX\r\n\r\n',
    '0\r\n: x\r\n\r\n',
    '0\r\nX : x\r\n\r\n',
    '0\r\n X: x\r\n\r\n',
    '0\r\nX: x\r\n y\r\n\r\n',
    '0\r\nX: x\nY: y\r\n\r\n',
    '0\r\nX: x\ry\r\n\r\n',
    '0\r\nX: \0\r\n\r\n',
    '0\r\n\xe4: x\r\n\r\n',
  ])('%j is refused', (text) => {
    expect(scanned(chunked, text)).toBe('refused')
  })

  it.each(['Content-Length: 5', 'transfer-ENCODING: chunked', 'Host: other', 'Authorization: Basic x', 'Connection: close', 'Trailer: x'])(
    'does not end with the trailer %j',
    (line) => {
      expect(scanned(chunked, `0\r\n${line}\r\n\r\n`)).toBe('refused')
    },
  )

  it('does not end with a trailer that its owner refuses', () => {
    const options: BodyScannerOptions = { refusesTrailer: (name) => name === 'ssl_client_cert' }
    expect(scanned(chunked, '0\r\nSSL_CLIENT_CERT: x\r\n\r\n', options)).toBe('refused')
    expect(scanned(chunked, '0\r\nSSL_CLIENT: x\r\n\r\n', options)).toBe(20)
  })

  it('bounds extensions and trailer lines by the line limit, and all trailers by the head limits', () => {
    const options: BodyScannerOptions = { limits: { maxLineBytes: 16, maxHeaderCount: 2, maxHeadBytes: 40 } }
    expect(scanned(chunked, `1;${'e'.repeat(14)}\r\n`, options)).toBe('more')
    expect(scanned(chunked, `1;${'e'.repeat(15)}`, options)).toBe('refused')
    expect(scanned(chunked, `0\r\nX:${'v'.repeat(14)}\r\n`, options)).toBe('more')
    expect(scanned(chunked, `0\r\nX:${'v'.repeat(15)}`, options)).toBe('refused')
    expect(scanned(chunked, `0\r\n${'X'.repeat(17)}`, options)).toBe('refused')
    expect(scanned(chunked, '0\r\nA:\r\nB:\r\n\r\n', options)).toBe(13)
    expect(scanned(chunked, '0\r\nA:\r\nB:\r\nC', options)).toBe('refused')
    expect(scanned(chunked, `0\r\nX:${'v'.repeat(14)}\r\nY:${'v'.repeat(14)}\r\n\r\n`, options)).toBe(41)
    const tight: BodyScannerOptions = { limits: { maxLineBytes: 16, maxHeaderCount: 2, maxHeadBytes: 37 } }
    expect(scanned(chunked, `0\r\nX:${'v'.repeat(14)}\r\nY:${'v'.repeat(14)}\r\n\r\n`, tight)).toBe('refused')
  })
})
