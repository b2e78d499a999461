import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frame, u32 } from '../../test-support/raw-peer.ts'
import { DATA, END, GOAWAY, MESSAGE, MOVE, OPEN, PING, RESET, WINDOW } from './frame.ts'
import { FrameReader } from './frame-reader.ts'

/** What a reader reports, with the pieces of one DATA frame put together. */
function read(chunks: readonly Buffer[]): { readonly events: readonly string[]; readonly violations: readonly string[] } {
  const events: string[] = []
  const violations: string[] = []
  let data = ''
  const reader = new FrameReader({
    onFrame: (type, streamId, body) => events.push(`${type} ${streamId} ${body.toString('hex')}`),
    onDataHeader(streamId, length) {
      data = `data ${streamId} ${length} `
      events.push(data)
    },
    onDataBytes(chunk) {
      events[events.length - 1] += chunk.toString('hex')
    },
    onViolation: (message) => violations.push(message),
  })
  for (const chunk of chunks) reader.push(chunk)
  return { events, violations }
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

const body = (max: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength: max }).map((bytes) => Buffer.from(bytes))
const id = fc.integer({ min: 1, max: 0xffff_ffff })
const anyFrame = fc.oneof(
  fc.tuple(fc.constantFrom(OPEN, MESSAGE), id, body(300)),
  fc.tuple(
    fc.constant(DATA),
    id,
    body(300).filter((bytes) => bytes.length > 0),
  ),
  fc.tuple(fc.constant(END), id, fc.constant(Buffer.alloc(0))),
  fc.tuple(fc.constantFrom(RESET, MOVE), id, fc.constant(Buffer.from([1]))),
  fc.tuple(fc.constant(WINDOW), id, fc.constant(u32(99))),
  fc.tuple(fc.constant(PING), fc.constant(0), fc.constant(u32(7))),
  fc.tuple(fc.constant(GOAWAY), fc.constant(0), fc.constant(Buffer.from([0]))),
)

describe('frame reader', () => {
  it('finds the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 40 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(([type, streamId, content]) => frame(type, streamId, content)))
        const whole = read([bytes])
        expect(whole.violations).toEqual([])
        expect(whole.events.length).toBe(frames.length)
        expect(read(split(bytes, cuts))).toEqual(whole)
        expect(read(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(whole)
      }),
      { numRuns: 200 },
    )
  })

  it('reports random bytes once at most and never throws', () => {
    fc.assert(
      fc.property(fc.array(body(200), { maxLength: 10 }), (chunks) => {
        expect(read(chunks).violations.length).toBeLessThanOrEqual(1)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['a type that does not exist', frame(11, 1)],
    ['type 0', frame(0, 1)],
    ['an opening above 16 KiB', frame(OPEN, 1, Buffer.alloc(16_385))],
    ['a message above 16 KiB', frame(MESSAGE, 1, Buffer.alloc(16_385))],
    ['data above 64 KiB', frame(DATA, 1, Buffer.alloc(65_537))],
    ['data without bytes', frame(DATA, 1)],
    ['an end with a body', frame(END, 1, Buffer.alloc(1))],
    ['a reset without code', frame(RESET, 1)],
    ['a window of three bytes', frame(WINDOW, 1, Buffer.alloc(3))],
    ['a ping on a stream', frame(PING, 1, u32(1))],
    ['data outside a stream', frame(DATA, 0, Buffer.alloc(1))],
  ])('refuses %s at its header, before the body', (_, bytes) => {
    const result = read([frame(END, 5), bytes.subarray(0, 8)])
    expect(result.violations).toHaveLength(1)
    expect(result.events).toEqual([`${END} 5 `])
  })

  it('reports nothing after a violation or a stop', () => {
    expect(read([Buffer.concat([frame(0, 1), frame(END, 1)]), frame(END, 3)]).events).toEqual([])
    let count = 0
    const reader = new FrameReader({
      onFrame() {
        count++
        reader.stop()
      },
      onDataHeader() {},
      onDataBytes() {},
      onViolation() {},
    })
    reader.push(Buffer.concat([frame(END, 1), frame(END, 3)]))
    expect(count).toBe(1)
  })
})
