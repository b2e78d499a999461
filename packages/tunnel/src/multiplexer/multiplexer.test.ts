import {
  type CloseReason,
  type IncomingTunnelStream,
  silentLogger,
  type StreamCloseReason,
  type TunnelConnection,
  type TunnelStream,
} from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createManualLinks } from '../../test-support/manual-links.ts'
import { createRawPeer, frame, u32 } from '../../test-support/raw-peer.ts'
import { nextTurn, until } from '../../test-support/turn.ts'
import { smallFramesPerTurn, framesPerWrite, type MultiplexerLimits } from '../limits.ts'
import type { ByteLink, ByteLinkHandlers } from './byte-link.ts'
import { DATA, END, GOAWAY, MESSAGE, MOVE, OPEN, PING, RESET, WINDOW } from './frame.ts'
import { multiplex } from './multiplexer.ts'

const clock = createManualClock()

function createPair(options: { readonly lanes: number; readonly limits?: Partial<MultiplexerLimits>; readonly stopwatch?: () => number }) {
  const links = Array.from({ length: options.lanes }, createManualLinks)
  const shared = { peerCertificate: undefined, clock, log: silentLogger, limits: options.limits, stopwatch: options.stopwatch }
  return {
    links,
    near: multiplex({ ...shared, side: 'dialler', links: links.map(({ a }) => a) }),
    far: multiplex({ ...shared, side: 'listener', links: links.map(({ b }) => b) }),
    /** Moves everything that is under way until nothing is. */
    async settle() {
      for (let moved = true; moved;) {
        await nextTurn()
        moved = false
        for (const link of links) for (const from of ['a', 'b'] as const) while (link.move(from)) moved = true
      }
    },
  }
}

const quiet = { onData: () => true, onEnd() {}, onDrain() {}, onClose() {} }

/** Takes every stream and records what it hears. */
function record(connection: TunnelConnection): { readonly streams: TunnelStream[]; readonly events: string[]; reading: boolean } {
  const recorded = { streams: [] as TunnelStream[], events: [] as string[], reading: true }
  connection.onStream = (incoming) => {
    recorded.streams.push(
      incoming.accept({
        onData(chunk) {
          recorded.events.push(`data:${chunk.length}`)
          return recorded.reading
        },
        onMessage: (message) => recorded.events.push(`message:${message}`),
        onEnd: () => recorded.events.push('end'),
        onDrain: () => recorded.events.push('drain'),
        onClose: (reason) => recorded.events.push(`close:${reason.kind}`),
      }),
    )
  }
  return recorded
}

async function reasonOf(connection: TunnelConnection): Promise<string> {
  const reason: CloseReason = await connection.closed
  return reason.kind === 'lost' ? (reason.error as Error & { readonly code?: string }).code + ': ' + reason.error.message : reason.kind
}

describe('multiplexer', () => {
  it('delivers every stream as it was written, whatever the lanes and the order in which they deliver', async () => {
    type Step =
      | { readonly do: 'write' | 'message'; readonly stream: number; readonly length: number }
      | { readonly do: 'open' | 'end' | 'pause' | 'resume'; readonly stream: number }
      | { readonly do: 'move'; readonly lane: number; readonly back: boolean; readonly bytes: number }
    const stream = fc.nat({ max: 7 })
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), stream, length: fc.integer({ min: 1, max: 90_000 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('message' as const), stream, length: fc.integer({ min: 0, max: 16_000 }) }) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constantFrom('open' as const, 'end' as const, 'pause' as const, 'resume' as const), stream }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant('move' as const),
          lane: fc.nat({ max: 2 }),
          back: fc.boolean(),
          bytes: fc.constantFrom(1, 13, 5_000, 400_000),
        }),
      },
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { minLength: 20, maxLength: 120 }), async (lanes, steps) => {
        // A low threshold, so that streams move to other lanes as soon as they may.
        const { links, near, far, settle } = createPair({ lanes, limits: { bulkAfterBytes: 1 } })
        const model = new Map<
          number,
          { readonly stream: TunnelStream; sent: string[]; got: string[]; ended: boolean; far?: TunnelStream; reading: boolean }
        >()
        far.onStream = (incoming) => {
          const entry = model.get(Number(incoming.opening.toString()))
          if (entry === undefined) return
          const add = (text: string): void => {
            const last = entry.got.at(-1)
            if (text.startsWith('d') && last?.startsWith('d') === true) entry.got[entry.got.length - 1] = last + text.slice(1)
            else entry.got.push(text)
          }
          entry.far = incoming.accept({
            onData(chunk) {
              add(`d${chunk.toString('latin1')}`)
              return entry.reading
            },
            onMessage: (message) => add(`m${message.length}`),
            onEnd: () => add('end'),
            onDrain() {},
            onClose() {},
          })
        }
        let counter = 0
        for (const one of steps) {
          if (one.do === 'move') {
            links[one.lane % lanes]?.move(one.back ? 'b' : 'a', one.bytes)
            if (one.bytes === 13) await nextTurn()
            continue
          }
          const entry = model.get(one.stream)
          if (one.do === 'open' && entry === undefined) {
            const opened = near.openStream(Buffer.from(String(one.stream)), quiet)
            model.set(one.stream, { stream: opened, sent: [], got: [], ended: false, reading: true })
          }
          if (entry === undefined || entry.ended) continue
          if (one.do === 'write') {
            const text = String.fromCharCode(97 + (counter++ % 26)).repeat(one.length)
            entry.stream.write(Buffer.from(text, 'latin1'))
            const last = entry.sent.at(-1)
            if (last?.startsWith('d') === true) entry.sent[entry.sent.length - 1] = last + text
            else entry.sent.push(`d${text}`)
          } else if (one.do === 'message') {
            entry.stream.sendMessage(Buffer.alloc(one.length))
            entry.sent.push(`m${one.length}`)
          } else if (one.do === 'end') {
            entry.stream.end()
            entry.ended = true
            entry.sent.push('end')
          } else if (one.do === 'pause') entry.reading = false
          else {
            entry.reading = true
            entry.far?.resume()
          }
        }
        for (const entry of model.values()) {
          entry.reading = true
          entry.far?.resume()
        }
        await settle()
        for (const entry of model.values()) entry.far?.resume()
        await settle()
        for (const entry of model.values()) {
          expect(entry.got.map((text) => `${text.length} ${text.slice(0, 40)}`)).toEqual(
            entry.sent.map((text) => `${text.length} ${text.slice(0, 40)}`),
          )
          expect(entry.got).toEqual(entry.sent)
        }
        near.abort(new Error('done'))
      }),
      { numRuns: 40 },
    )
  })

  it('moves a stream that turns out bulk to another lane and leaves small ones on the first', async () => {
    const peer = createRawPeer({ clock, lanes: 3 })
    const bulk = peer.connection.openStream(Buffer.from('bulk'), quiet)
    const small = peer.connection.openStream(Buffer.from('small'), quiet)
    for (let i = 0; i < 4; i++) bulk.write(Buffer.alloc(65_536))
    await peer.frames()
    peer.send(0, frame(WINDOW, bulk.id, u32(1_000_000)))
    bulk.write(Buffer.alloc(65_536))
    bulk.write(Buffer.alloc(65_536))
    bulk.end()
    small.write(Buffer.from('x'))
    const frames = await peer.frames()
    const lanesOf = (id: number): string =>
      frames
        .filter(({ streamId }) => streamId === id)
        .map(({ type, lane }) => `${type}@${lane}`)
        .join(' ')
    expect(lanesOf(bulk.id)).toBe('OPEN@0 DATA@0 DATA@0 DATA@0 DATA@0 DATA@0 MOVE@0 DATA@1 END@1')
    expect(lanesOf(small.id)).toBe('OPEN@0 DATA@0')
    const second = peer.connection.openStream(Buffer.alloc(0), quiet)
    for (let i = 0; i < 4; i++) second.write(Buffer.alloc(65_536))
    await peer.frames()
    peer.send(0, frame(WINDOW, second.id, u32(1_000_000)))
    second.write(Buffer.alloc(65_536))
    second.write(Buffer.alloc(1))
    expect((await peer.frames()).filter(({ streamId }) => streamId === second.id).at(-1)?.lane).toBe(2)
  })

  it('takes turns: a stream with much to send does not stand before others', async () => {
    const peer = createRawPeer({ clock, limits: { laneBufferBytes: 65_536 } })
    const first = peer.connection.openStream(Buffer.alloc(0), quiet)
    const second = peer.connection.openStream(Buffer.alloc(0), quiet)
    for (let i = 0; i < 3; i++) first.write(Buffer.alloc(65_536))
    second.write(Buffer.from('small'))
    const order = (await peer.frames()).filter(({ type }) => type === 'DATA').map(({ streamId }) => streamId)
    expect(order).toEqual([first.id, first.id, second.id, first.id])
  })

  it('sends the first frame after a quiet turn at once, and what a busy turn and the next one write as one each', async () => {
    const peer = createRawPeer({ clock })
    await peer.frames()
    const before = peer.links[0]?.writes.b ?? 0
    const writes = (): number => (peer.links[0]?.writes.b ?? 0) - before
    const turn = async (): Promise<void> => {
      for (let i = 0; i < framesPerWrite / 4; i++) {
        const stream = peer.connection.openStream(Buffer.from('o'), quiet)
        stream.write(Buffer.from('small'))
        stream.write(Buffer.alloc(5_000))
      }
      const written = writes()
      await peer.frames()
      expect(writes() - written).toBe(1)
    }
    await turn()
    expect(writes()).toBe(2)
    await turn()
    expect(writes()).toBe(3)
    expect((await peer.frames()).length).toBe((2 * 3 * framesPerWrite) / 4)
  })

  it('has enough of a turn after so many small frames, however they are cut, and begins anew with the next', async () => {
    let handlers: ByteLinkHandlers | undefined
    const link: ByteLink = { bufferedBytes: 0, write() {}, end() {}, destroy() {}, start: (given) => (handlers = given) }
    multiplex({ links: [link], side: 'listener', peerCertificate: undefined, clock, log: silentLogger })
    const message = frame(PING, 0, u32(1))
    for (const count of [1, smallFramesPerTurn / 2]) {
      const answers: unknown[] = []
      for (let sent = 0; sent < smallFramesPerTurn; sent += count) answers.push(handlers?.onData(Buffer.concat(Array(count).fill(message))))
      expect(answers).toEqual([...Array(smallFramesPerTurn / count - 1).fill(true), false])
      await nextTurn()
    }
  })

  it('gathers chunks that waited into one frame', async () => {
    const peer = createRawPeer({ clock })
    const stream = peer.connection.openStream(Buffer.alloc(0), quiet)
    for (let i = 0; i < 4; i++) stream.write(Buffer.alloc(65_536))
    for (let i = 0; i < 100; i++) expect(stream.write(Buffer.from('abc'))).toBe(false)
    await peer.frames()
    peer.send(0, frame(WINDOW, stream.id, u32(200)))
    peer.send(0, frame(WINDOW, stream.id, u32(1_000)))
    const late = (await peer.frames()).filter(({ type }) => type === 'DATA').slice(4)
    expect(late.map(({ body }) => body.length)).toEqual([200, 100])
    expect(Buffer.concat(late.map(({ body }) => body)).toString()).toBe('abc'.repeat(100))
  })

  it('holds at most the first window of a stream whose reader never reads', async () => {
    const peer = createRawPeer({ clock })
    const far = record(peer.connection)
    far.reading = false
    peer.send(0, frame(OPEN, 1), ...Array.from({ length: 4 }, () => frame(DATA, 1, Buffer.alloc(65_536))))
    expect((await peer.frames()).filter(({ type }) => type === 'WINDOW')).toEqual([])
    peer.send(0, frame(DATA, 1, Buffer.alloc(1)))
    expect(await reasonOf(peer.connection)).toContain('PROTOCOL_VIOLATION')
  })

  it('grants more only when the reader goes on, and less after it has stopped for long', async () => {
    let now = 0
    const peer = createRawPeer({ clock, stopwatch: () => now })
    const far = record(peer.connection)
    const data = frame(DATA, 1, Buffer.alloc(65_536))
    const granted = async (): Promise<number> =>
      (await peer.frames()).filter(({ type }) => type === 'WINDOW').reduce((sum, { body }) => sum + body.readUInt32BE(0), 0)
    peer.send(0, frame(OPEN, 1), frame(DATA, 1, Buffer.alloc(65_535)))
    expect(await granted()).toBe(0)
    peer.send(0, frame(DATA, 1, Buffer.alloc(1)))
    expect(await granted()).toBe(65_536)
    far.reading = false
    peer.send(0, data, data, data)
    expect(await granted()).toBe(65_536)
    now += 1_000
    far.reading = true
    far.streams[0]?.resume()
    expect(await granted()).toBe(65_536 + 196_608)
  })

  it('lets a window grow on a long path while the reader uses it up faster than a round trip', async () => {
    let now = 0
    const peer = createRawPeer({ clock, stopwatch: () => now })
    record(peer.connection)
    // The answer to the first ping, 100 ms late, is the measurement.
    await nextTurn()
    now += 100
    peer.send(0, frame(9, 0, u32(1)))
    expect(peer.connection.roundTripMs).toBe(100)
    peer.send(0, frame(OPEN, 1))
    let allowed = 262_144
    let sent = 0
    for (let round = 0; round < 30; round++) {
      now += 20
      for (; allowed >= 65_536; allowed -= 65_536, sent += 65_536) peer.send(0, frame(DATA, 1, Buffer.alloc(65_536)))
      const windows = (await peer.frames()).filter(({ type }) => type === 'WINDOW')
      allowed = 262_144 + windows.reduce((sum, { body }) => sum + body.readUInt32BE(0), 0) - sent
    }
    expect(allowed).toBeGreaterThan(4 * 262_144)
  })

  it('counts messages in the credit, empty ones too', async () => {
    const peer = createRawPeer({ clock })
    const far = record(peer.connection)
    peer.send(0, frame(OPEN, 1))
    for (let i = 0; i < 15; i++) peer.send(0, frame(MESSAGE, 1, Buffer.alloc(16_384)))
    expect((await peer.frames()).some(({ type }) => type === 'WINDOW')).toBe(true)
    far.reading = false
    peer.send(0, frame(DATA, 1, Buffer.alloc(1)))
    const flood = Buffer.concat(Array.from({ length: 40_000 }, () => frame(MESSAGE, 1)))
    peer.send(0, flood)
    expect(await reasonOf(peer.connection)).toContain('more than its credit')
  })

  const violations: readonly (readonly [string, readonly (readonly [lane: number, bytes: Buffer])[]])[] = [
    ['data of a stream that was never opened', [[0, frame(DATA, 3, Buffer.alloc(1))]]],
    ['data of a stream of ours that we never opened', [[0, frame(DATA, 2, Buffer.alloc(1))]]],
    ['a reset of a stream that was never opened', [[0, frame(RESET, 9, Buffer.from([0]))]]],
    ['a window for a stream that was never opened', [[0, frame(WINDOW, 9, u32(1))]]],
    ['an opening with a number of ours', [[0, frame(OPEN, 2)]]],
    [
      'an opening with a number used before',
      [
        [0, frame(OPEN, 3)],
        [0, frame(OPEN, 3)],
      ],
    ],
    [
      'openings out of order',
      [
        [0, frame(OPEN, 3)],
        [0, frame(OPEN, 1)],
      ],
    ],
    ['an opening outside the first lane', [[1, frame(OPEN, 1)]]],
    [
      'an opening after the farewell',
      [
        [0, frame(GOAWAY, 0, Buffer.from([0]))],
        [0, frame(OPEN, 1)],
      ],
    ],
    [
      'a second farewell',
      [
        [0, frame(OPEN, 1)],
        [0, frame(GOAWAY, 0, Buffer.from([0]))],
        [0, frame(GOAWAY, 0, Buffer.from([0]))],
      ],
    ],
    ['a farewell outside the first lane', [[1, frame(GOAWAY, 0, Buffer.from([0]))]]],
    [
      'data after the end',
      [
        [0, frame(OPEN, 1)],
        [0, frame(END, 1)],
        [0, frame(DATA, 1, Buffer.alloc(1))],
      ],
    ],
    [
      'a second end',
      [
        [0, frame(OPEN, 1)],
        [0, frame(END, 1)],
        [0, frame(END, 1)],
      ],
    ],
    [
      'a window of nothing',
      [
        [0, frame(OPEN, 1)],
        [0, frame(WINDOW, 1, u32(0))],
      ],
    ],
    [
      'windows that add up to too much',
      [
        [0, frame(OPEN, 1)],
        [0, frame(WINDOW, 1, u32(0x7fff_ffff))],
      ],
    ],
    [
      'a move to a lane that does not exist',
      [
        [0, frame(OPEN, 1)],
        [0, frame(MOVE, 1, Buffer.from([2]))],
      ],
    ],
    [
      'a move to the first lane',
      [
        [0, frame(OPEN, 1)],
        [0, frame(MOVE, 1, Buffer.from([0]))],
      ],
    ],
    [
      'a second move',
      [
        [0, frame(OPEN, 1)],
        [0, frame(MOVE, 1, Buffer.from([1]))],
        [1, frame(MOVE, 1, Buffer.from([1]))],
      ],
    ],
    [
      'data on a lane that the stream has left',
      [
        [0, frame(OPEN, 1)],
        [0, frame(MOVE, 1, Buffer.from([1]))],
        [0, frame(DATA, 1, Buffer.alloc(1))],
      ],
    ],
    [
      'an unknown reset code',
      [
        [0, frame(OPEN, 1)],
        [0, frame(RESET, 1, Buffer.from([9]))],
      ],
    ],
    [
      'more data than credit at once',
      [[0, frame(OPEN, 1)], ...Array.from({ length: 5 }, () => [0, frame(DATA, 1, Buffer.alloc(65_536))] as const)],
    ],
  ]
  it.each(violations)('aborts the connection for %s', async (_, sent) => {
    const peer = createRawPeer({ clock, lanes: 2 })
    const far = record(peer.connection)
    far.reading = false
    for (const [lane, bytes] of sent) peer.send(lane, bytes)
    expect(await reasonOf(peer.connection)).toContain('PROTOCOL_VIOLATION')
    expect(far.events.filter((event) => event.startsWith('close')).length).toBe(far.streams.length)
  })

  it('aborts a peer that opens more streams than anybody may', async () => {
    const peer = createRawPeer({ clock })
    let count = 0
    peer.connection.onStream = (incoming) => {
      count++
      incoming.accept(quiet)
    }
    for (let id = 1; id <= 2 * 65_536; id += 2 * 8_192) {
      peer.send(0, Buffer.concat(Array.from({ length: 8_192 }, (_, index) => frame(OPEN, id + 2 * index))))
    }
    expect(count).toBe(65_536)
    expect(peer.connection.openStreams).toBe(65_536)
    peer.send(0, frame(OPEN, 2 * 65_536 + 1))
    expect(await reasonOf(peer.connection)).toContain('more than 65536 streams')
  })

  it('bears frames that crossed our reset, up to the credit they could have had', async () => {
    const peer = createRawPeer({ clock })
    peer.connection.onStream = (incoming) => incoming.accept(quiet).reset('cancelled')
    const rest = [
      frame(MESSAGE, 1, Buffer.from('x')),
      ...Array.from({ length: 3 }, () => frame(DATA, 1, Buffer.alloc(65_536))),
      frame(END, 1),
    ]
    peer.send(0, frame(OPEN, 1), ...rest, frame(WINDOW, 1, u32(5)), frame(RESET, 1, Buffer.from([0])))
    await nextTurn()
    expect(peer.connection.openStreams).toBe(0)
    peer.send(0, frame(DATA, 1, Buffer.alloc(65_536)))
    expect(await reasonOf(peer.connection)).toContain('stream 1, which is over')
  })

  it('answers pings without limit, but keeps one answer at most for a peer that does not read', async () => {
    const peer = createRawPeer({ clock, limits: { laneBufferBytes: 1_000 } })
    await peer.frames()
    peer.send(0, Buffer.concat(Array.from({ length: 100_000 }, (_, index) => frame(PING, 0, u32(index)))))
    await nextTurn()
    expect(peer.links[0]?.b.bufferedBytes).toBeLessThan(2_000)
    const pongs = (await peer.frames()).filter(({ type }) => type === 'PONG')
    expect(pongs.at(-1)?.body.readUInt32BE(0)).toBe(99_999)
    expect(pongs.length).toBeLessThan(200)
  })

  it('aborts a peer that has streams refused and never reads the refusals', async () => {
    const peer = createRawPeer({ clock, limits: { maxLaneBacklogBytes: 500_000 } })
    for (let id = 1; id < 400_000; id += 20_000) {
      peer.send(0, Buffer.concat(Array.from({ length: 10_000 }, (_, index) => frame(OPEN, id + 2 * index))))
      await nextTurn()
    }
    expect(await reasonOf(peer.connection)).toContain('does not read the answers')
  })

  it('survives random bytes after a good start, and ends what it does not understand', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 }), async (chunks) => {
        const peer = createRawPeer({ clock, lanes: 2 })
        record(peer.connection)
        peer.send(0, frame(OPEN, 1), frame(DATA, 1, Buffer.from('x')))
        chunks.forEach((chunk, index) => peer.send(index % 2, Buffer.from(chunk)))
        await nextTurn()
        peer.connection.abort(new Error('done'))
        expect(peer.connection.openStreams).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('survives frames that are well formed and make no sense', async () => {
    const anyFrame = fc
      .record({
        lane: fc.nat({ max: 1 }),
        type: fc.integer({ min: 1, max: 10 }),
        id: fc.integer({ min: 0, max: 9 }),
        value: fc.nat({ max: 70_000 }),
      })
      .map(({ lane, type, id, value }) => {
        const bodies: Record<number, Buffer> = {
          [OPEN]: Buffer.alloc(value % 20),
          [DATA]: Buffer.alloc(1 + (value % 65_536)),
          [MESSAGE]: Buffer.alloc(value % 100),
        }
        const body =
          bodies[type] ??
          (type === WINDOW || type === PING || type === 9 ? u32(value) : type === END ? Buffer.alloc(0) : Buffer.from([value % 5]))
        return [lane, frame(type, type >= PING ? 0 : id, body)] as const
      })
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { maxLength: 60 }), async (frames) => {
        const peer = createRawPeer({ clock, lanes: 2 })
        const far = record(peer.connection)
        const ours = peer.connection.openStream(Buffer.alloc(0), quiet)
        for (const [lane, bytes] of frames) peer.send(lane, bytes)
        ours.write(Buffer.from('x'))
        await nextTurn()
        peer.connection.abort(new Error('done'))
        await peer.connection.closed
        expect(peer.connection.openStreams).toBe(0)
        expect(far.events.filter((event) => event.startsWith('close')).length).toBe(far.streams.length)
      }),
      { numRuns: 300 },
    )
  })

  it('loses only the streams of a lane that dies, says that it is weakened and sends bulk elsewhere', async () => {
    const { links, near, far, settle } = createPair({ lanes: 3, limits: { bulkAfterBytes: 1 } })
    const there = record(far)
    const reasons: string[] = []
    const openOne = (name: string): TunnelStream =>
      near.openStream(Buffer.from(name), { ...quiet, onClose: (reason) => reasons.push(`${name} ${reason.kind}`) })
    const bulkOnes = ['first bulk', 'second bulk'].map(openOne)
    const small = openOne('small')
    await settle()
    for (const bulk of bulkOnes) for (let i = 0; i < 6; i++) bulk.write(Buffer.alloc(65_536))
    await settle()
    let weakened = 0
    for (const end of [near, far]) void end.weakened?.then(() => weakened++)
    links[1]?.cutAll()
    await settle()
    expect(reasons).toEqual(['first bulk lost'])
    expect(there.events.filter((event) => event.startsWith('close'))).toEqual(['close:lost'])
    expect(weakened).toBe(2)
    const before = bulkOnes[1]?.bytesSent ?? 0
    bulkOnes[1]?.write(Buffer.alloc(65_536))
    small.write(Buffer.from('still here'))
    await settle()
    expect(bulkOnes[1]?.bytesSent).toBe(before + 65_536)
    expect(there.events).toContain('data:10')
    links[0]?.cutAll()
    expect(await reasonOf(near)).toContain('TUNNEL_LOST')
  })

  it('ends a stream that moves to a lane which is dead on our side', async () => {
    const peer = createRawPeer({ clock, lanes: 2 })
    const far = record(peer.connection)
    peer.send(0, frame(OPEN, 1))
    peer.links[1]?.b.destroy()
    await nextTurn()
    peer.send(0, frame(MOVE, 1, Buffer.from([1])))
    expect(far.events).toEqual(['close:lost'])
    expect((await peer.frames()).at(-1)).toMatchObject({ type: 'RESET', streamId: 1, body: Buffer.from([2]) })
  })

  it('delivers frames that overtook a move once the move is there', async () => {
    const peer = createRawPeer({ clock, lanes: 2 })
    const far = record(peer.connection)
    peer.send(0, frame(OPEN, 1), frame(DATA, 1, Buffer.alloc(1)))
    peer.send(1, frame(DATA, 1, Buffer.alloc(3)), frame(MESSAGE, 1, Buffer.from('m')), frame(END, 1))
    peer.send(0, frame(DATA, 1, Buffer.alloc(2)))
    expect(far.events).toEqual(['data:1', 'data:2'])
    peer.send(0, frame(MOVE, 1, Buffer.from([1])))
    expect(far.events).toEqual(['data:1', 'data:2', 'data:3', 'message:m', 'end'])
  })

  it('notices a silent peer after three intervals without a byte, and not before', async () => {
    const time = createManualClock()
    const peer = createRawPeer({ clock: time })
    let isClosed = false
    void peer.connection.closed.then(() => {
      isClosed = true
    })
    const pass = async (): Promise<void> => {
      time.advance(10_000)
      await nextTurn()
    }
    await pass()
    await pass()
    await pass()
    peer.send(0, frame(PING, 0, u32(1)))
    for (let interval = 0; interval < 3; interval++) await pass()
    expect(isClosed).toBe(false)
    await pass()
    expect(isClosed).toBe(true)
    expect(await reasonOf(peer.connection)).toBe('TUNNEL_LOST: the peer of the tunnel has fallen silent')
  })

  it('a dead lane besides the first is found by its own pings', async () => {
    const time = createManualClock()
    const peer = createRawPeer({ clock: time, lanes: 2 })
    let isWeakened = false
    void peer.connection.weakened?.then(() => {
      isWeakened = true
    })
    for (let interval = 0; interval < 5; interval++) {
      peer.send(0, frame(PING, 0, u32(interval)))
      time.advance(10_000)
      await nextTurn()
    }
    expect(isWeakened).toBe(true)
    peer.send(0, frame(OPEN, 1))
    expect((await peer.frames()).at(-1)).toMatchObject({ type: 'RESET', streamId: 1 })
  })

  it('opens no more than it may and says so', () => {
    const { near } = createPair({ lanes: 1, limits: { maxOpenedStreams: 3 } })
    for (let i = 0; i < 3; i++) near.openStream(Buffer.alloc(0), quiet)
    expect(() => near.openStream(Buffer.alloc(0), quiet)).toThrow(/3 streams open/)
  })

  it('announces streams that wait for their turn before it says farewell', async () => {
    const { near, far, settle } = createPair({ lanes: 1, limits: { laneBufferBytes: 1 } })
    const there = record(far)
    const reasons: StreamCloseReason[] = []
    const streams = Array.from({ length: 3 }, () =>
      near.openStream(Buffer.alloc(16_000), { ...quiet, onClose: (reason) => reasons.push(reason) }),
    )
    void near.close()
    await settle()
    expect(there.streams.length).toBe(3)
    for (const stream of [...streams, ...there.streams]) stream.end()
    await settle()
    expect(reasons).toEqual([{ kind: 'finished' }, { kind: 'finished' }, { kind: 'finished' }])
    expect([await reasonOf(near), await reasonOf(far)]).toEqual(['local', 'peer'])
  })

  it('does not wait for ever for the peer to end its half', async () => {
    const time = createManualClock()
    const peer = createRawPeer({ clock: time })
    void peer.connection.close()
    await peer.frames()
    peer.send(0, frame(GOAWAY, 0, Buffer.from([0])))
    time.advance(5_000)
    expect(await reasonOf(peer.connection)).toBe('local')
  })

  it('tells an opener nothing of a stream it has reset before it was announced', async () => {
    const peer = createRawPeer({ clock, limits: { laneBufferBytes: 1 } })
    peer.connection.openStream(Buffer.alloc(100), quiet)
    const waiting = peer.connection.openStream(Buffer.alloc(100), quiet)
    waiting.reset('cancelled')
    expect((await peer.frames()).map(({ type, streamId }) => `${type} ${streamId}`)).toEqual(['OPEN 2'])
  })

  it('a stream that was reset while nobody had taken it tells so to whoever takes it afterwards', async () => {
    const peer = createRawPeer({ clock })
    let incoming: IncomingTunnelStream | undefined
    peer.connection.onStream = (stream) => {
      incoming = stream
    }
    peer.send(0, frame(OPEN, 1), frame(RESET, 1, Buffer.from([2])))
    const reasons: StreamCloseReason[] = []
    incoming?.accept({ ...quiet, onClose: (reason) => reasons.push(reason) })
    await until(() => reasons.length > 0)
    expect(reasons).toEqual([{ kind: 'reset', by: 'peer', code: 'failed' }])
  })
})
