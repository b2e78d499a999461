import { describe, expect, it } from 'vitest'
import { defaultHeadLimits, type HeadLimits, parseRequestHead, type RequestHead } from './index.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`
const get = (...lines: string[]): string => head('GET / HTTP/1.1', 'Host: erp', ...lines)

function parsed(text: string, limits: HeadLimits = defaultHeadLimits): RequestHead {
  const result = parseRequestHead(bytesOf(text), 0, limits)
  if (result.state !== 'complete') throw new Error(`not complete: ${JSON.stringify(result)}`)
  return result.head
}

function outcome(text: string, limits: HeadLimits = defaultHeadLimits): number | string {
  const result = parseRequestHead(bytesOf(text), 0, limits)
  return result.state === 'refused' ? result.refusal.status : result.state
}

describe('a request head', () => {
  it('is read into its parts, with the lines as they came', () => {
    const text = head(
      'POST http://ERP:8000/sap?x=1 HTTP/1.1',
      'Host:erp:8000',
      'Content-LENGTH:  12\t',
      'X-Custom-Name: a b',
      'x-custom-name:',
    )
    expect(parsed(text)).toEqual({
      method: 'POST',
      target: 'http://ERP:8000/sap?x=1',
      minorVersion: 1,
      names: ['host', 'content-length', 'x-custom-name', 'x-custom-name'],
      values: ['erp:8000', '12', 'a b', ''],
      lines: ['Host:erp:8000', 'Content-LENGTH:  12\t', 'X-Custom-Name: a b', 'x-custom-name:'],
      framing: { kind: 'length', bytes: 12 },
      keepAlive: true,
      upgrade: undefined,
      expectsContinue: false,
      connectionOptions: [],
      bytes: text.length,
    })
  })

  it('begins at the offset and leaves what follows alone', () => {
    const text = get()
    const result = parseRequestHead(bytesOf(`body${text}rest`), 4, defaultHeadLimits)
    expect(result.state === 'complete' && result.head.bytes).toBe(text.length)
  })

  it('may follow one empty line, which is counted', () => {
    expect(parsed(`\r\n${get()}`).bytes).toBe(get().length + 2)
    expect(outcome('\r')).toBe('incomplete')
    expect(outcome('\r\n')).toBe('incomplete')
    expect(outcome('\r\n\r')).toBe(400)
    expect(outcome(`\r\n\r\n${get()}`)).toBe(400)
    expect(outcome(`\n${get()}`)).toBe(400)
  })

  it('passes unknown methods and every visible character of a target but #', () => {
    expect(parsed(head('M-S!#$%&\'*+.^_`|~1 /"<>\\^`{|}~%zz HTTP/1.1', 'Host: a'))).toMatchObject({
      method: "M-S!#$%&'*+.^_`|~1",
      target: '/"<>\\^`{|}~%zz',
    })
  })

  it('keeps bytes of obs-text in values as Latin-1', () => {
    expect(parsed(get('X: \xe4\xff\ta')).values[1]).toBe('\xe4\xff\ta')
  })

  it('judges every byte of a long value as it does in a short one, wherever it stands and whatever stands beside it', () => {
    const read = (value: string): number | string => {
      const text = get(`X: ${value}`)
      return outcome(text) === 'complete' && parsed(text).values[1] !== value ? 'another value' : outcome(text)
    }
    for (const beside of ['a', ' ', '~', '\xff']) {
      for (let byte = 0; byte < 256; byte += 1) {
        const character = String.fromCharCode(byte)
        const expected = read(`b${character}b`)
        for (let at = 90; at < 99; at += 1) {
          const value = `b${beside.repeat(at)}${character}${beside.repeat(9)}b`
          expect(read(value), `byte ${byte} at ${at} among ${JSON.stringify(beside)}`).toBe(expected)
        }
      }
    }
  })
})

describe('the request line', () => {
  it.each([
    ['', 'incomplete'],
    ['GET', 'incomplete'],
    ['GET / HTTP/1.1\r', 'incomplete'],
    [' GET / HTTP/1.1\r\n', 400],
    ['GET  / HTTP/1.1\r\n', 400],
    ['GET\t/ HTTP/1.1\r\n', 400],
    ['GET /  HTTP/1.1\r\n', 400],
    ['GET / HTTP/1.1 \r\n', 400],
    ['GET / HTTP/1.1 x\r\n', 400],
    ['GET /a b HTTP/1.1\r\n', 400],
    ['GET  HTTP/1.1\r\n', 400],
    ['GET /\r\n', 400],
    ['GET\r\n', 400],
    ['GET\n', 400],
    ['G(T / HTTP/1.1\r\n', 400],
    ['G\xe4T / HTTP/1.1\r\n', 400],
    ['GET /\xe4 HTTP/1.1\r\n', 400],
    ['GET /\x7f HTTP/1.1\r\n', 400],
    ['GET /\0 HTTP/1.1\r\n', 400],
    ['GET /#a HTTP/1.1\r\n', 400],
    ['GET / HTTP/1.1\n', 400],
    ['GET / HTTP/1.1\rX', 400],
    ['GET / http/1.1\r\n', 400],
    ['GET / HTTP/1\r\n', 400],
    ['GET / HTTP/1.10\r\n', 400],
    ['GET / HTTP/x.1\r\n', 400],
    ['GET / HTTP/1,1\r\n', 400],
    ['GET / HTTP/1.2\r\n', 505],
    ['GET / HTTP/0.9\r\n', 505],
    ['PRI * HTTP/2.0\r\n', 505],
  ])('%j is answered %s', (text, expected) => {
    expect(outcome(text)).toBe(expected)
  })
})

describe('header lines', () => {
  it.each([
    ['X : a', 400],
    ['X\t: a', 400],
    [' X: a', 400],
    ['\tX: a', 400],
    ['X: a\r\n b', 400],
    ['X: a\r\n\tb', 400],
    [': a', 400],
    ['X', 400],
    ['X(: a', 400],
    ['X\xe4: a', 400],
    ['X: a\nY: b', 400],
    ['X: a\rY: b', 400],
    ['X: a\r\r\nY: b', 400],
    ['X: \0', 400],
    ['X: \x01', 400],
    ['X: \x7f', 400],
    ['X:\x0b', 400],
    ['X\n: b', 400],
    ['X\r\n: b', 400],
    ['X: a\r\n\rY: b', 400],
    ['X: a\r\n\n', 400],
  ])('%j is answered %s', (line, expected) => {
    expect(outcome(get(line))).toBe(expected)
  })

  it('names Host exactly once in HTTP/1.1, whatever the form of the target', () => {
    expect(outcome(head('GET / HTTP/1.1'))).toBe(400)
    expect(outcome(head('GET http://erp/ HTTP/1.1'))).toBe(400)
    expect(outcome(get('Host: erp'))).toBe(400)
    expect(outcome(head('GET / HTTP/1.0', 'Host: a', 'HOST: a'))).toBe(400)
    expect(outcome(head('GET / HTTP/1.0'))).toBe('complete')
  })

  it.each([
    '',
    'a b',
    'a,b',
    'a:',
    ':80',
    'a:0',
    'a:65536',
    'a:080',
    'a:8o',
    'u@a',
    'a/b',
    'a%2e',
    '[::1',
    '[::1]x',
    '::1',
    '[fe80::1%25eth0]',
    'a..b',
    '.a',
    'a:80:80',
    'http://a',
  ])('Host: %j is refused', (host) => {
    expect(outcome(head('GET / HTTP/1.1', `Host: ${host}`))).toBe(400)
  })

  it.each(['a', 'under_score:1', 'ERP.example.:65535', '10.0.0.1:80', '[::1]', '[2001:DB8::1]:8080'])('Host: %s is accepted', (host) => {
    expect(outcome(head('GET / HTTP/1.1', `Host: ${host}`))).toBe('complete')
  })
})

describe('the framing of a request', () => {
  it('is none without a header, a length, or chunked', () => {
    expect(parsed(get()).framing).toEqual({ kind: 'none' })
    expect(parsed(get('Content-Length: 0')).framing).toEqual({ kind: 'length', bytes: 0 })
    expect(parsed(get('Content-Length: 9007199254740991')).framing).toEqual({ kind: 'length', bytes: Number.MAX_SAFE_INTEGER })
    expect(parsed(get('Transfer-Encoding: Chunked')).framing).toEqual({ kind: 'chunked' })
  })

  it.each([
    ['Content-Length: 1', 'Content-Length: 1', 400],
    ['Content-Length: 1', 'content-length: 2', 400],
    ['Content-Length: 1, 1', '', 400],
    ['Content-Length: +1', '', 400],
    ['Content-Length: -1', '', 400],
    ['Content-Length: 0x1', '', 400],
    ['Content-Length: 1 1', '', 400],
    ['Content-Length: 1.0', '', 400],
    ['Content-Length:', '', 400],
    ['Content-Length: 9007199254740992', '', 400],
    ['Content-Length: 00000000000000001', '', 400],
    ['Content-Length: \xb2', '', 400],
    ['Content-Length: 1', 'Transfer-Encoding: chunked', 400],
    ['Transfer-Encoding: chunked', 'Content-Length: 0', 400],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked', 400],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', 400],
    ['Transfer-Encoding: chunked, chunked', '', 400],
    ['Transfer-Encoding: gzip, chunked', '', 400],
    ['Transfer-Encoding: chunked;q=1', '', 400],
    ['Transfer-Encoding: "chunked"', '', 400],
    ['Transfer-Encoding: \xa0chunked', '', 400],
    ['Transfer-Encoding:', '', 400],
    ['Transfer-Encoding: xchunked', '', 501],
    ['Transfer-Encoding: identity', '', 501],
  ])('%j with %j is answered %s', (first, second, expected) => {
    expect(outcome(second === '' ? get(first) : get(first, second))).toBe(expected)
  })

  it('admits no transfer coding in HTTP/1.0', () => {
    expect(outcome(head('POST / HTTP/1.0', 'Transfer-Encoding: chunked'))).toBe(400)
  })

  it('admits no body of CONNECT, behind which others see the tunnel begin', () => {
    const connect = (line: string): string => head('CONNECT erp:443 HTTP/1.1', 'Host: erp:443', line)
    expect(outcome(connect('Content-Length: 5'))).toBe(400)
    expect(outcome(connect('Transfer-Encoding: chunked'))).toBe(400)
    expect(outcome(connect('Content-Length: 0'))).toBe('complete')
  })
})

describe('what a request says of its connection', () => {
  it.each([
    ['HTTP/1.1', [], true],
    ['HTTP/1.1', ['Connection: close'], false],
    ['HTTP/1.1', ['Connection: Foo ,, CLOSE'], false],
    ['HTTP/1.1', ['Connection: foo', 'Connection: close'], false],
    ['HTTP/1.1', ['Connection: closed'], true],
    ['HTTP/1.1', ['Proxy-Connection: close'], false],
    ['HTTP/1.0', [], false],
    ['HTTP/1.0', ['Connection: Keep-Alive'], true],
    ['HTTP/1.0', ['Proxy-Connection: keep-alive'], true],
    ['HTTP/1.0', ['Connection: keep-alive, close'], false],
  ])('%s with %j keeps it: %s', (version, lines, keepAlive) => {
    expect(parsed(head(`GET / ${version}`, 'Host: a', ...lines)).keepAlive).toBe(keepAlive)
  })

  it('lists the options of all Connection headers in lower case', () => {
    expect(parsed(get('Connection: Keep-Alive, X-Hop', 'Connection:', 'Connection: TE')).connectionOptions).toEqual([
      'keep-alive',
      'x-hop',
      'te',
    ])
  })

  it.each(['Host', 'content-length', 'Transfer-Encoding'])(
    'refuses %s as an option, because removing it would change the message',
    (option) => {
      expect(outcome(get(`Connection: close, ${option}`))).toBe(400)
    },
  )

  it('names the protocols of an upgrade only when Connection announces it, in HTTP/1.1', () => {
    expect(parsed(get('Connection: keep-alive, Upgrade', 'Upgrade: WebSocket')).upgrade).toBe('websocket')
    expect(parsed(get('Connection: upgrade', 'Upgrade: a/1, b', 'Upgrade: C')).upgrade).toBe('a/1, b, c')
    expect(parsed(get('Upgrade: websocket')).upgrade).toBeUndefined()
    expect(parsed(get('Connection: upgrade')).upgrade).toBeUndefined()
    expect(parsed(head('GET / HTTP/1.0', 'Connection: upgrade', 'Upgrade: websocket')).upgrade).toBeUndefined()
  })

  it('expects 100 Continue in HTTP/1.1 only', () => {
    expect(parsed(get('Expect: 100-Continue')).expectsContinue).toBe(true)
    expect(parsed(get('Expect: 200-ok')).expectsContinue).toBe(false)
    expect(parsed(head('GET / HTTP/1.0', 'Expect: 100-continue')).expectsContinue).toBe(false)
  })
})

describe('limits of a head', () => {
  const limits: HeadLimits = { maxLineBytes: 64, maxHeaderCount: 3, maxHeadBytes: 200 }

  it('admits a request line of exactly the limit and refuses one byte more with 414, before its end has arrived', () => {
    const line = (bytes: number): string => `GET /${'x'.repeat(bytes - 'GET / HTTP/1.1'.length)} HTTP/1.1`
    expect(outcome(head(line(8192), 'Host: a'))).toBe('complete')
    expect(outcome(head(line(8193), 'Host: a'))).toBe(414)
    expect(outcome(`GET /${'x'.repeat(8187)}`)).toBe('incomplete')
    expect(outcome(`GET /${'x'.repeat(8188)}`)).toBe(414)
    expect(outcome('M'.repeat(8193))).toBe(414)
    expect(outcome(`${line(8192)}\r`)).toBe('incomplete')
  })

  it('admits a header line of exactly the limit and refuses one byte more with 431, before its end has arrived', () => {
    const line = (bytes: number): string => `X: ${'y'.repeat(bytes - 3)}`
    expect(outcome(get(line(8192)))).toBe('complete')
    expect(outcome(get(line(8193)))).toBe(431)
    expect(outcome(`GET / HTTP/1.1\r\n${line(8192)}`)).toBe('incomplete')
    expect(outcome(`GET / HTTP/1.1\r\n${line(8193)}`)).toBe(431)
    expect(outcome(`GET / HTTP/1.1\r\n${'N'.repeat(8193)}`)).toBe(431)
    expect(outcome(`GET / HTTP/1.1\r\nN:${' '.repeat(8191)}`)).toBe(431)
    expect(outcome(get(`${'N'.repeat(8192)}:`))).toBe(431)
  })

  it('counts header lines', () => {
    expect(outcome(head('GET / HTTP/1.1', 'Host: a', 'B: b', 'C: c'), limits)).toBe('complete')
    expect(outcome(head('GET / HTTP/1.1', 'Host: a', 'B: b', 'C: c', 'D: d'), limits)).toBe(431)
    expect(outcome('GET / HTTP/1.1\r\nHost: a\r\nB: b\r\nC: c\r\nD', limits)).toBe(431)
  })

  it('counts the whole head with its empty line', () => {
    const rest = 'GET / HTTP/1.1\r\nHost: a\r\nA: \r\nB: \r\n\r\n'
    const filled = (bytes: number): string =>
      rest.replace('A: ', `A: ${'a'.repeat(60)}`).replace('B: ', `B: ${'b'.repeat(bytes - rest.length - 60)}`)
    const wide: HeadLimits = { ...limits, maxLineBytes: 120 }
    expect(outcome(filled(200), wide)).toBe('complete')
    expect(outcome(filled(201), wide)).toBe(431)
    expect(outcome(filled(201).slice(0, 199), wide)).toBe('incomplete')
    expect(outcome(filled(201).slice(0, 200), wide)).toBe(431)
  })
})
