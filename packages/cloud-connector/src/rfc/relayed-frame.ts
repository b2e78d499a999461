import { formatNiFrame } from '@sallyport/rfc-wire'

const lengthBytes = 4

/** The frame of a message for passing it on: where the message lies in `chunk` behind its length, that part of the chunk; a copy otherwise. */
export function relayedFrame(chunk: Buffer, payload: Buffer): Buffer {
  const at = payload.byteOffset - chunk.byteOffset
  const liesInside = payload.buffer === chunk.buffer && at >= lengthBytes && at + payload.length <= chunk.length
  return liesInside && chunk.readUInt32BE(at - lengthBytes) === payload.length
    ? chunk.subarray(at - lengthBytes, at + payload.length)
    : formatNiFrame(payload)
}
