import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultProxyLimits } from '../limits.ts'
import { AnswerRelay, type AnswerState } from './answer-relay.ts'

function relayTo(written: Buffer[]): AnswerRelay {
  return new AnswerRelay((chunk) => void written.push(chunk), defaultProxyLimits.responseHead, { limits: defaultProxyLimits.responseHead })
}

/** Every way to cut a text into pieces. */
function pieces(text: string): fc.Arbitrary<Buffer[]> {
  const bytes = Buffer.from(text, 'latin1')
  return fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 })).map((cuts) => {
    const bounds = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
    return bounds.slice(1).map((end, at) => bytes.subarray(bounds[at], end))
  })
}

function feedAll(relay: AnswerRelay, chunks: readonly Buffer[]): AnswerState[] {
  return chunks.map((chunk) => relay.feed(chunk))
}

const answers: readonly [string, string, string][] = [
  ['with a length', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello\r\n\r\nyo'],
  [
    'in chunks with a trailer',
    'GET',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n',
  ],
  [
    'behind interim answers',
    'GET',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  ],
  ['to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n'],
]

describe('an answer', () => {
  it.each(answers)('%s is complete with its last byte, and nothing of it is changed, however it is cut', (_, method, text) => {
    fc.assert(
      fc.property(pieces(text), (chunks) => {
        const written: Buffer[] = []
        const relay = relayTo(written)
        relay.begin(method, false, false)
        const states = feedAll(relay, chunks)
        expect(states.slice(0, -1).every((state) => state === 'more')).toBe(true)
        expect(states.at(-1)).toBe('complete')
        expect(relay.keepAlive).toBe(true)
        expect(Buffer.concat(written).toString('latin1')).toBe(text)
      }),
      { numRuns: 200 },
    )
  })

  it('loses its chunks and interim answers for an HTTP/1.0 application, however it is cut', () => {
    const text =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5;a=b\r\nhello\r\n0002\r\n\r\n\r\n0\r\nX-T: 1\r\n\r\n'
    fc.assert(
      fc.property(pieces(text), (chunks) => {
        const written: Buffer[] = []
        const relay = relayTo(written)
        relay.begin('GET', true, false)
        expect(feedAll(relay, chunks).at(-1)).toBe('complete')
        expect(Buffer.concat(written).toString('latin1')).toBe('HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: close\r\n\r\nhello\r\n')
      }),
      { numRuns: 200 },
    )
  })

  it('hands on what follows 101, and refuses a 101 that nobody asked for', () => {
    const written: Buffer[] = []
    const relay = relayTo(written)
    const text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw'
    relay.begin('GET', false, true)
    expect(relay.feed(Buffer.from(text))).toBe('upgraded')
    expect(relay.feed(Buffer.from('more'))).toBe('upgraded')
    expect(Buffer.concat(written).toString()).toBe(`${text}more`)
    const strict = relayTo([])
    strict.begin('GET', false, false)
    expect(strict.feed(Buffer.from(text))).toBe('broken')
    expect(strict.hasStarted).toBe(false)
  })

  it('keeps back what follows it, and gives the connection up', () => {
    const written: Buffer[] = []
    const relay = relayTo(written)
    relay.begin('GET', false, false)
    expect(relay.feed(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n'))).toBe('complete')
    expect(relay.keepAlive).toBe(false)
    expect(Buffer.concat(written).toString()).toMatch(/\r\n\r\nok$/)
  })

  it('of unknown length is complete with the end, any other is not', () => {
    const open = relayTo([])
    open.begin('GET', false, false)
    expect(open.feed(Buffer.from('HTTP/1.1 200 OK\r\n\r\nsome'))).toBe('more')
    expect(open.end()).toBe('complete')
    const short = relayTo([])
    short.begin('GET', false, false)
    short.feed(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour'))
    expect(short.end()).toBe('broken')
  })
})
