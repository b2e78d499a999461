import { randomBytes } from 'node:crypto'
import { expect } from '../expect.ts'
import { within } from '../probe.ts'
import { accepting, bulkBytes, digest, echo, open, roundTrips, writeAll } from './driven-streams.ts'
import type { TransportCase } from './transport-case.ts'

/** More than a first window and the buffers of a path may hold of a stream whose reader never took anything. */
const heldAtMostBytes = 1_048_576

export type BackPressureCase = 'stops the writer while the reader has enough' | 'does not let a stopped reader hold up its neighbours'

/** A reader that stops holds up its writer, and nobody else. */
export const backPressureCases: Readonly<Record<BackPressureCase, TransportCase>> = {
  'stops the writer while the reader has enough': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      there.reading = false
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      const chunk = randomBytes(50_000)
      const sent: Buffer[] = []
      // A transport that never says "full" is stopped here and not by the memory of the machine.
      while (sent.length * chunk.length < heldAtMostBytes * 4) {
        sent.push(chunk)
        if (here.stream?.write(chunk) === true) continue
        const drained = await Promise.race([here.drained().then(() => true), roundTrips(near, far, signal).then(() => false)])
        if (!drained) break
      }
      expect(sent.length * chunk.length).toBeLessThanOrEqual(heldAtMostBytes)
      expect(there.receivedBytes).toBeLessThanOrEqual(heldAtMostBytes)
      there.reading = true
      there.stream?.resume()
      here.stream?.end()
      await within(there.ended, signal, 'the rest after the reader went on')
      expect(digest(there.received)).toBe(digest(sent))
    },
  },
  'does not let a stopped reader hold up its neighbours': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      there.reading = false
      const stopped = open(near)
      await within(begun, signal, 'the stream to arrive')
      for (let written = 0; written < heldAtMostBytes; written += 50_000) stopped.stream?.write(randomBytes(50_000))
      far.onStream = echo
      const neighbour = open(near)
      await within(writeAll(neighbour, randomBytes(bulkBytes)), signal, 'a neighbour of a stopped stream')
      neighbour.stream?.end()
      expect(await within(neighbour.closed, signal, 'the neighbour to finish')).toEqual({ kind: 'finished' })
    },
  },
}
