import { type Clock, silentLogger, type TunnelConnection } from '@sallyport/core'
import type { MultiplexerLimits } from '../src/limits.ts'
import { frameNames, headerBytes, writeHeader } from '../src/multiplexer/frame.ts'
import { FrameReader } from '../src/multiplexer/frame-reader.ts'
import { multiplex } from '../src/multiplexer/multiplexer.ts'
import { createManualLinks, type ManualLinks } from './manual-links.ts'
import { nextTurn } from './turn.ts'

/** One frame as the raw peer sees it. */
interface SeenFrame {
  readonly lane: number
  readonly type: string
  readonly streamId: number
  readonly body: Buffer
}

/** The other end of a connection under test, which says whatever the test wants. It dialled: its own streams are odd. */
export interface RawPeer {
  readonly connection: TunnelConnection
  /** Frames that the connection has sent, without the pings; looking delivers what is under way. */
  frames(): Promise<readonly SeenFrame[]>
  send(lane: number, ...bytes: readonly Buffer[]): void
  readonly links: readonly ManualLinks[]
}

export function frame(type: number, streamId: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(headerBytes)
  writeHeader(header, 0, streamId, type, body.length)
  return Buffer.concat([header, body])
}

export function u32(value: number): Buffer {
  const body = Buffer.alloc(4)
  body.writeUInt32BE(value)
  return body
}

export function createRawPeer(options: {
  readonly clock: Clock
  readonly lanes?: number
  readonly limits?: Partial<MultiplexerLimits>
  readonly stopwatch?: () => number
}): RawPeer {
  const { clock, lanes = 1, limits, stopwatch } = options
  const links = Array.from({ length: lanes }, createManualLinks)
  const seen: SeenFrame[] = []
  links.forEach((pair, lane) => {
    let data: { streamId: number; left: number; parts: Buffer[] } | undefined
    const reader = new FrameReader({
      onFrame: (type, streamId, body) => {
        const name = frameNames[type] ?? '?'
        if (name !== 'PING') seen.push({ lane, type: name, streamId, body: Buffer.from(body) })
      },
      onDataHeader(streamId, length) {
        data = { streamId, left: length, parts: [] }
      },
      onDataBytes(chunk) {
        if (data === undefined) return
        data.parts.push(chunk)
        data.left -= chunk.length
        if (data.left === 0) seen.push({ lane, type: 'DATA', streamId: data.streamId, body: Buffer.concat(data.parts) })
      },
      onViolation(message) {
        throw new Error(`the connection under test broke the protocol: ${message}`)
      },
    })
    pair.a.start({ onData: (chunk) => reader.push(chunk), onDrain() {}, onEnd() {}, onClose() {} })
  })
  const connection = multiplex({
    links: links.map((pair) => pair.b),
    side: 'listener',
    peerCertificate: undefined,
    clock,
    log: silentLogger,
    limits,
    stopwatch,
  })
  return {
    connection,
    links,
    async frames() {
      for (let moved = true; moved;) {
        await nextTurn()
        moved = false
        for (const pair of links) while (pair.move('b')) moved = true
      }
      return seen
    },
    send(lane, ...bytes) {
      const pair = links[lane]
      for (const chunk of bytes) pair?.a.write(chunk)
      pair?.move('a')
    },
  }
}
