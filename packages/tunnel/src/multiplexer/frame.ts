import { maxStreamMessageBytes } from '@sallyport/core'
import { maxDataBytes } from '../limits.ts'

/** `[stream u32][type u8][length u24]`, big-endian; the body follows. */
export const headerBytes = 8

/** Frame types as they stand on the wire. Plain constants, because the hot path compares them. */
export const OPEN = 1
export const DATA = 2
export const END = 3
export const RESET = 4
export const WINDOW = 5
export const MOVE = 6
export const MESSAGE = 7
export const PING = 8
export const PONG = 9
export const GOAWAY = 10

/** Names for messages to people, by type. */
export const frameNames: readonly string[] = ['?', 'OPEN', 'DATA', 'END', 'RESET', 'WINDOW', 'MOVE', 'MESSAGE', 'PING', 'PONG', 'GOAWAY']

/** Body lengths by type: what is outside never gets buffered. PING, PONG and GOAWAY belong to the connection, the others to a stream. */
const bodies: readonly (readonly [min: number, max: number])[] = [
  [1, 0],
  [0, maxStreamMessageBytes],
  [1, maxDataBytes],
  [0, 0],
  [1, 1],
  [4, 4],
  [1, 1],
  [0, maxStreamMessageBytes],
  [4, 4],
  [4, 4],
  [1, 1],
]

/** Says what is wrong with a frame header, or `undefined`. */
export function explainHeader(streamId: number, type: number, length: number): string | undefined {
  const range = bodies[type]
  if (range === undefined || type === 0) return `unknown frame type ${type}`
  if (length < range[0] || length > range[1]) return `${frameNames[type]} frame of ${length} bytes`
  if ((streamId === 0) !== type >= PING) return `${frameNames[type]} frame on stream ${streamId}`
  return undefined
}

/** Renders a header at `target[at]`; hot, so it writes byte by byte instead of through four checked calls. */
export function writeHeader(target: Buffer, at: number, streamId: number, type: number, length: number): void {
  target[at] = streamId >>> 24
  target[at + 1] = streamId >>> 16
  target[at + 2] = streamId >>> 8
  target[at + 3] = streamId
  target[at + 4] = type
  target[at + 5] = length >>> 16
  target[at + 6] = length >>> 8
  target[at + 7] = length
}
