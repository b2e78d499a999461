import { Duplex, Readable } from 'node:stream'

/**
 * Gives a stream that was read during a negotiation to its owner. Reading the last byte of an answer can make Node announce
 * the end of a far side that has ended already; the owner would wait for that event forever, so it gets one of its own.
 */
export async function handOver(stream: Duplex): Promise<Duplex> {
  // The announcement comes in the next tick.
  await new Promise(setImmediate)
  if (!stream.readableEnded || stream.destroyed) return stream
  return Duplex.from({ readable: Readable.from([]), writable: stream })
}
