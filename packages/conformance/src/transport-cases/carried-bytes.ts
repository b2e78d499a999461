import { randomBytes } from 'node:crypto'
import { type IncomingTunnelStream, maxStreamMessageBytes, type TunnelConnection } from '@sallyport/core'
import { expect } from '../expect.ts'
import { within } from '../probe.ts'
import { createStreamProbe } from '../stream-probe.ts'
import { accepting, bulkBytes, digest, echo, open, writeAll } from './driven-streams.ts'
import type { TransportCase } from './transport-case.ts'

export type CarriedBytesCase =
  | 'carries arbitrary bytes both ways'
  | 'hands the opening over together with the stream'
  | 'keeps messages in order with the bytes'
  | 'loses nothing that arrives before the stream is accepted within the turn'
  | 'lets the peer finish its answer after our side has ended'
  | 'keeps many streams apart'

/** What goes through a stream arrives as it was sent. */
export const carriedBytesCases: Readonly<Record<CarriedBytesCase, TransportCase>> = {
  'carries arbitrary bytes both ways': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      far.onStream = echo
      const sent = randomBytes(bulkBytes)
      const probe = open(near)
      await within(writeAll(probe, sent), signal, 'everything to be written')
      probe.stream?.end()
      expect(await within(probe.closed, signal, 'both sides to end')).toEqual({ kind: 'finished' })
      expect(digest(probe.received)).toBe(digest([sent]))
      expect(probe.stream?.bytesSent).toBe(bulkBytes)
      expect(probe.stream?.bytesReceived).toBe(bulkBytes)
    },
  },
  'hands the opening over together with the stream': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      for (const opening of [Buffer.alloc(0), Buffer.from('hello'), randomBytes(maxStreamMessageBytes)]) {
        const incoming = nextStream(far)
        open(near, opening)
        expect((await within(incoming, signal, 'the stream to arrive')).opening).toEqual(opening)
      }
    },
  },
  'keeps messages in order with the bytes': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      for (let round = 0; round < 3; round++) {
        here.stream?.sendMessage(Buffer.from(String(round)))
        await within(writeAll(here, randomBytes(500_000)), signal, 'the bytes to be written')
      }
      here.stream?.sendMessage(Buffer.from('last'))
      here.stream?.end()
      await within(there.ended, signal, 'the end')
      expect(there.events).toEqual(['message:0', 'data', 'message:1', 'data', 'message:2', 'data', 'message:last', 'end'])
    },
  },
  'loses nothing that arrives before the stream is accepted within the turn': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const there = createStreamProbe()
      far.onStream = (incoming) => {
        void Promise.resolve().then(() => {
          there.stream = incoming.accept(there.handlers)
        })
      }
      const here = open(near)
      here.stream?.write(Buffer.from('early'))
      here.stream?.sendMessage(Buffer.from('bird'))
      here.stream?.end()
      await within(there.ended, signal, 'the end of what was sent early')
      expect(there.events).toEqual(['data', 'message:bird', 'end'])
      expect(Buffer.concat(there.received).toString()).toBe('early')
    },
  },
  'lets the peer finish its answer after our side has ended': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const answer = randomBytes(1_000_000)
      const { probe: there } = accepting(far, {
        onEnd: () =>
          void writeAll(there, answer).then(() => {
            there.stream?.end()
          }),
      })
      const here = open(near)
      here.stream?.write(Buffer.from('question'))
      here.stream?.end()
      expect(await within(here.closed, signal, 'the answer')).toEqual({ kind: 'finished' })
      expect(digest(here.received)).toBe(digest([answer]))
      expect(await within(there.closed, signal, 'the end on the far side')).toEqual({ kind: 'finished' })
    },
  },
  'keeps many streams apart': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      far.onStream = echo
      const probes = Array.from({ length: 300 }, () => open(near))
      expect(near.openStreams).toBe(300)
      const texts = probes.map((_, index) => Buffer.from(`stream ${index} `.repeat(1 + (index % 50))))
      probes.forEach((probe, index) => {
        probe.stream?.write(texts[index] ?? Buffer.alloc(0))
        probe.stream?.end()
      })
      const reasons = await within(Promise.all(probes.map(async (probe) => probe.closed)), signal, 'every stream to finish')
      expect(new Set(reasons.map((reason) => reason.kind))).toEqual(new Set(['finished']))
      expect(probes.map((probe) => Buffer.concat(probe.received))).toEqual(texts)
      expect(near.openStreams).toBe(0)
    },
  },
}

function nextStream(connection: TunnelConnection): Promise<IncomingTunnelStream> {
  return new Promise((resolve) => {
    connection.onStream = (incoming) => {
      incoming.accept(createStreamProbe().handlers)
      resolve(incoming)
    }
  })
}
