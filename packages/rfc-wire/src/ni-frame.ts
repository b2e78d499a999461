import { firstFrameBufferBytes } from './limits.ts'
import { type Refused, refuse } from './refusal.ts'

/** Asks whether the peer is alive; may come at any time, also between the records of one message. */
export const niPing: Buffer = Buffer.from('NI_PING\0', 'latin1')

/** Answers {@link niPing}; also says that a route is established. */
export const niPong: Buffer = Buffer.from('NI_PONG\0', 'latin1')

/** What a frame is; keep-alive frames never belong to the protocol inside. */
export type NiFrame = { readonly kind: 'ping' } | { readonly kind: 'pong' } | { readonly kind: 'message'; readonly payload: Buffer }

/** Takes frames apart, however the bytes arrive. */
export interface NiReader {
  /**
   * Reads on and returns the frames that are complete now. A payload is a view of the chunk where it lies in one; copy it to keep it for long.
   * After a refusal the connection is unusable: `refused` stays, and nothing more is read.
   */
  read(chunk: Buffer): { readonly frames: readonly NiFrame[]; readonly refused?: string }
  /** Whether nothing of a frame is waiting for its rest; a stream that ends in between was cut off. */
  readonly betweenFrames: boolean
}

const lengthBytes = 4

/** Puts the length in front of a payload: protocols.md 11.2. */
export function formatNiFrame(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(lengthBytes + payload.length)
  frame.writeUInt32BE(payload.length)
  payload.copy(frame, lengthBytes)
  return frame
}

/**
 * Reads frames with at most `maxPayloadBytes` each. A longer one is refused as soon as its length is known; memory grows with the bytes that have arrived, to at
 * most twice of them. Empty frames are legal and skipped.
 */
export function createNiReader(options: { readonly maxPayloadBytes: number }): NiReader {
  const { maxPayloadBytes } = options
  const length = Buffer.alloc(lengthBytes)
  let lengthSeen = 0
  let payload = Buffer.alloc(0)
  let payloadSeen = 0
  let refusal: Refused | undefined

  function collect(chunk: Buffer, at: number, expected: number): number {
    const end = Math.min(chunk.length, at + expected - payloadSeen)
    const needed = payloadSeen + end - at
    if (needed > payload.length) {
      const larger = Buffer.allocUnsafe(Math.min(expected, Math.max(needed, payload.length * 2, firstFrameBufferBytes)))
      payload.copy(larger, 0, 0, payloadSeen)
      payload = larger
    }
    chunk.copy(payload, payloadSeen, at, end)
    payloadSeen = needed
    return end
  }

  return {
    get betweenFrames() {
      return lengthSeen === 0
    },
    read(chunk) {
      const frames: NiFrame[] = []
      let at = 0
      while (refusal === undefined && at < chunk.length) {
        if (lengthSeen < lengthBytes) {
          length[lengthSeen] = chunk[at]!
          lengthSeen += 1
          at += 1
          if (lengthSeen < lengthBytes) continue
        }
        const expected = length.readUInt32BE()
        if (expected > maxPayloadBytes) {
          refusal = refuse(`NI frame of ${expected} bytes; at most ${maxPayloadBytes} are taken`)
        } else if (payloadSeen === 0 && chunk.length - at >= expected) {
          if (expected > 0) frames.push(classify(chunk.subarray(at, at + expected)))
          at += expected
          lengthSeen = 0
        } else {
          at = collect(chunk, at, expected)
          if (payloadSeen < expected) continue
          frames.push(classify(payload.subarray(0, expected)))
          payload = Buffer.alloc(0)
          payloadSeen = 0
          lengthSeen = 0
        }
      }
      return refusal === undefined ? { frames } : { frames, ...refusal }
    },
  }
}

function classify(payload: Buffer): NiFrame {
  if (payload.equals(niPing)) return { kind: 'ping' }
  if (payload.equals(niPong)) return { kind: 'pong' }
  return { kind: 'message', payload }
}
