import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SocksMessage, SocksReader } from './socks-reader.ts'

const limits = { maxTokenBytes: 65_536 }

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
}

/** A reader that has had its greeting and awaits `kind`. */
function readerFor(kind: 'token' | 'request'): SocksReader {
  const reader = new SocksReader(limits)
  reader.read(hex('05 01 80'), 0)
  reader.await(kind)
  return reader
}

function tokenMessage(token: string, location: string): Buffer {
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeUInt32BE(token.length, 1)
  return Buffer.concat([head, Buffer.from(token), Buffer.from([location.length]), Buffer.from(location)])
}

function domainRequest(host: string, port: number): Buffer {
  return Buffer.concat([Buffer.from([5, 1, 0, 3, host.length]), Buffer.from(host), Buffer.from([port >> 8, port & 255])])
}

describe('the documented example', () => {
  it('is read message by message', () => {
    const reader = new SocksReader(limits)
    expect(reader.read(hex('05 01 80'), 0)).toBe(3)
    expect(reader.message).toEqual({ kind: 'greeting', methods: [0x80] })
    reader.await('token')
    expect(reader.read(hex('01 00 00 00 03 61 62 63 0c 62 33 4a 73 59 57 35 6b 62 77 3d 3d'), 0)).toBe(21)
    expect(reader.message).toEqual({ kind: 'token', token: 'abc', locationId: 'orlando' })
    reader.await('request')
    expect(reader.read(hex('05 01 00 03 0b 76 69 72 74 75 61 6c 68 6f 73 74 04 d2'), 0)).toBe(18)
    expect(reader.message).toEqual({ kind: 'request', command: 1, host: 'virtualhost', port: 1234 })
  })
})

describe('fragmentation', () => {
  const conversation = Buffer.concat([hex('05 02 00 80'), tokenMessage('a.b.c', 'bG9j'), domainRequest('Erp_1.example', 3300)])
  const expected: readonly SocksMessage[] = [
    { kind: 'greeting', methods: [0, 0x80] },
    { kind: 'token', token: 'a.b.c', locationId: 'loc' },
    { kind: 'request', command: 1, host: 'erp_1.example', port: 3300 },
  ]

  function readAll(pieces: readonly Buffer[]): { messages: SocksMessage[]; rest: Buffer } {
    const reader = new SocksReader(limits)
    const following: ('token' | 'request')[] = ['token', 'request']
    const messages: SocksMessage[] = []
    const rest: Buffer[] = []
    for (const piece of pieces) {
      let at = 0
      while (at < piece.length && messages.length < 3) {
        at = reader.read(piece, at)
        if (reader.message === undefined) continue
        messages.push(reader.message)
        const next = following.shift()
        if (next !== undefined) reader.await(next)
      }
      rest.push(piece.subarray(at))
    }
    expect(reader.heldBytes).toBe(0)
    return { messages, rest: Buffer.concat(rest) }
  }

  it('does not matter, and nothing behind the last message is touched', () => {
    const payload = Buffer.from('EHLO there\r\n')
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: conversation.length + payload.length - 1 })), (cuts) => {
        const all = Buffer.concat([conversation, payload])
        const bounds = [0, ...cuts.toSorted((a, b) => a - b), all.length]
        const pieces = bounds.slice(1).map((end, at) => all.subarray(bounds[at], end))
        expect(readAll(pieces)).toEqual({ messages: expected, rest: payload })
      }),
      { numRuns: 300 },
    )
  })

  it('may be one byte at a time', () => {
    expect(readAll([...conversation].map((byte) => Buffer.from([byte]))).messages).toEqual(expected)
  })
})

describe('tokens', () => {
  it.each([
    ['no location', tokenMessage('abc', ''), ''],
    ['padding left out', tokenMessage('abc', 'b3JsYW5kbw'), 'orlando'],
    ['UTF-8', tokenMessage('abc', Buffer.from('Köln').toString('base64')), 'Köln'],
    ['the longest one', tokenMessage('abc', Buffer.alloc(189, 'x').toString('base64')), 'x'.repeat(189)],
  ])('reads a location with %s', (_, message, locationId) => {
    const reader = readerFor('token')
    reader.read(message, 0)
    expect(reader.message).toEqual({ kind: 'token', token: 'abc', locationId })
  })

  it.each([
    ['another version', hex('02 00 00 00 03 61 62 63 00')],
    ['a length over the limit', hex('01 00 01 00 01')],
    ['a length with the top bit', hex('01 ff ff ff ff')],
    ['white space in the token', tokenMessage('a b', '')],
    ['bytes that no token has', tokenMessage('a\u0000b', '')],
    ['a location that is not Base64', tokenMessage('abc', 'b3Js*W5kbw==')],
    ['a location of impossible length', tokenMessage('abc', 'b3JsY')],
    ['URL-safe Base64', tokenMessage('abc', '-_-_')],
    ['a location that is not UTF-8', tokenMessage('abc', Buffer.from([0xff, 0xfe]).toString('base64'))],
    ['a location with a NUL', tokenMessage('abc', Buffer.from('eu\0loc').toString('base64'))],
    ['a location that is too long', tokenMessage('abc', Buffer.alloc(191, 'x').toString('base64').replaceAll('=', ''))],
  ])('refuses %s', (_, message) => {
    const reader = readerFor('token')
    reader.read(message, 0)
    expect(reader.message).toMatchObject({ kind: 'malformed', while: 'token' })
  })

  it('holds what has arrived, not what the length promises', () => {
    const reader = readerFor('token')
    reader.read(hex('01 00 01 00 00'), 0)
    expect(reader.heldBytes).toBeLessThanOrEqual(1024)
    reader.read(Buffer.alloc(3000, 'a'), 0)
    expect(reader.heldBytes).toBeLessThanOrEqual(6100)
    expect(reader.message).toBeUndefined()
  })

  it('reads the longest token', () => {
    const reader = readerFor('token')
    const message = tokenMessage('a'.repeat(65_536), '')
    expect(reader.read(message, 0)).toBe(message.length)
    expect(reader.message?.kind).toBe('token')
  })
})

describe('requests', () => {
  it('reads an IPv4 address as text', () => {
    const reader = readerFor('request')
    reader.read(hex('05 01 00 01 0a 00 00 07 04 d2'), 0)
    expect(reader.message).toEqual({ kind: 'request', command: 1, host: '10.0.0.7', port: 1234 })
  })

  it.each([
    ['IPv6', '05 01 00 04 00000000000000000000000000000001 04d2', { kind: 'unsupported-address', command: 1 }],
    ['an unknown address type', '05 01 00 05 00', { kind: 'unsupported-address', command: 1 }],
    ['BIND', '05 02 00 01 7f000001 04d2', { kind: 'request', command: 2, host: '127.0.0.1', port: 1234 }],
    ['version 4', '04 01 00 01 7f000001 04d2', { kind: 'malformed', while: 'request' }],
    ['a reserved byte', '05 01 01 01 7f000001 04d2', { kind: 'malformed', while: 'request' }],
    ['port 0', '05 01 00 01 7f000001 0000', { kind: 'malformed', while: 'request' }],
    ['an empty host', '05 01 00 03 00 04d2', { kind: 'malformed', while: 'request' }],
    ['a host with a line end', '05 01 00 03 03 610a62 04d2', { kind: 'malformed', while: 'request' }],
    ['a host with a colon', '05 01 00 03 03 613a62 04d2', { kind: 'malformed', while: 'request' }],
  ])('tells %s', (_, bytes, expected) => {
    const reader = readerFor('request')
    reader.read(hex(bytes), 0)
    expect(reader.message).toMatchObject(expected)
  })

  it('never throws and never reads on, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom('token' as const, 'request' as const), (bytes, kind) => {
        const reader = readerFor(kind)
        const end = reader.read(Buffer.from(bytes), 0)
        expect(end).toBeLessThanOrEqual(bytes.length)
        expect(reader.message !== undefined || end === bytes.length).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
