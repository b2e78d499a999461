import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNiReader, formatNiFrame, type NiFrame, niPing, niPong } from './index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

function readInPieces(stream: Buffer, sizes: readonly number[], maxPayloadBytes = 1000): { frames: string[]; refused: string | undefined } {
  const reader = createNiReader({ maxPayloadBytes })
  const frames: string[] = []
  let refused: string | undefined
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    // A copy that is spoiled afterwards, as a socket may reuse its memory only once the frames are handled.
    const result = reader.read(Buffer.from(stream.subarray(at, at + size)))
    frames.push(...result.frames.map(textOf))
    refused = result.refused
    at += size
  }
  return { frames, refused }
}

function textOf(frame: NiFrame): string {
  return frame.kind === 'message' ? frame.payload.toString('hex') : frame.kind
}

describe('NI frames', () => {
  it('are the length of the payload and the payload', () => {
    expect(formatNiFrame(bytes('06cb'))).toEqual(bytes('00000002 06cb'))
    expect(niPing).toEqual(bytes('4e495f50494e4700'))
    expect(niPong).toEqual(bytes('4e495f504f4e4700'))
  })

  it('PR-076 are decoded for any chunking of the byte stream', () => {
    const payload = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array))
    const payloads = fc.array(fc.oneof(payload, fc.constant(niPing), fc.constant(niPong)), { maxLength: 12 })
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }), (sent, sizes) => {
        const stream = Buffer.concat(sent.map(formatNiFrame))
        const kindOf = (one: Buffer): string => (one.equals(niPing) ? 'ping' : one.equals(niPong) ? 'pong' : one.toString('hex'))
        const expected = sent.filter((one) => one.length > 0).map(kindOf)
        expect(readInPieces(stream, sizes)).toEqual({ frames: expected, refused: undefined })
        expect(readInPieces(stream, [1])).toEqual({ frames: expected, refused: undefined })
        expect(readInPieces(stream, [stream.length + 1])).toEqual({ frames: expected, refused: undefined })
      }),
      { numRuns: 2000 },
    )
  })

  it('are keep-alive only with exactly these eight bytes', () => {
    for (const almost of [niPing.subarray(0, 7), Buffer.concat([niPing, Buffer.alloc(1)]), Buffer.from('ni_ping\0')]) {
      expect(readInPieces(formatNiFrame(almost), [100]).frames).toEqual([almost.toString('hex')])
    }
  })

  it('are skipped when empty, also at the end of what has arrived', () => {
    expect(readInPieces(bytes('00000000 00000001 aa 00000000'), [4]).frames).toEqual(['aa'])
    const reader = createNiReader({ maxPayloadBytes: 10 })
    expect(reader.read(bytes('00000000')).frames).toEqual([])
    expect(reader.betweenFrames).toBe(true)
  })

  it('over the limit are refused at the last byte of their length, behind the frames before them', () => {
    const stream = bytes('00000001 aa 0000000b')
    expect(readInPieces(stream, [1], 10)).toEqual({ frames: ['aa'], refused: 'NI frame of 11 bytes; at most 10 are taken' })
    expect(readInPieces(stream.subarray(0, -1), [1], 10).refused).toBeUndefined()
    expect(readInPieces(bytes('0000000a'), [4], 10).refused).toBeUndefined()
  })

  it('are no longer read after a refusal', () => {
    const reader = createNiReader({ maxPayloadBytes: 10 })
    expect(reader.read(bytes('ffffffff')).refused).toBeDefined()
    expect(reader.read(bytes('00000001 aa'))).toMatchObject({ frames: [], refused: /at most 10/ })
  })

  it('take no memory before bytes have arrived, and little more than what has arrived', () => {
    const reader = createNiReader({ maxPayloadBytes: 0xffff_ffff })
    const before = process.memoryUsage().arrayBuffers
    reader.read(bytes('ffffffff'))
    for (let turn = 0; turn < 1000; turn += 1) reader.read(Buffer.alloc(100))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024)
    expect(reader.betweenFrames).toBe(false)
  })
})
