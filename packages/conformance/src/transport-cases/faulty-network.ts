import { randomBytes } from 'node:crypto'
import { type CloseReason, ConnectivityError } from '@sallyport/core'
import { expect } from '../expect.ts'
import { createNetwork, sendAndAwaitClose } from '../network.ts'
import { within } from '../probe.ts'
import { accepting, open, roundTrips } from './driven-streams.ts'
import type { TransportCase } from './transport-case.ts'

export type FaultyNetworkCase =
  | 'ends its streams when the peer is reset'
  | 'notices a peer that has fallen silent'
  | 'goes on serving after garbage on its port'
  | 'leaves nothing open'

/** What the network and strangers on it do to a transport over TCP. */
export const faultyNetworkCases: Readonly<Record<FaultyNetworkCase, TransportCase>> = {
  'ends its streams when the peer is reset': {
    requires: 'network',
    async run({ connect, listener, signal }) {
      await using network = await createNetwork(listener.endpoint)
      const { near, far } = await connect(network.endpoint)
      const { probe: there, begun } = accepting(far)
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      here.stream?.write(randomBytes(100_000))
      network.cut()
      expect(await within(here.closed, signal, 'our stream to end')).toEqual({ kind: 'lost' })
      expect(await within(there.closed, signal, 'the stream of the peer to end')).toEqual({ kind: 'lost' })
      for (const end of [near, far]) expectLost(await within(end.closed, signal, 'the connection to end'))
    },
  },
  'notices a peer that has fallen silent': {
    requires: 'network',
    async run({ connect, listener, clock, silenceMs, signal }) {
      await using network = await createNetwork(listener.endpoint)
      const { near, far } = await connect(network.endpoint)
      const here = open(near)
      await roundTrips(near, far, signal)
      network.freeze()
      for (let passed = 0; passed < silenceMs; passed += 1_000) clock.advance(1_000)
      for (const end of [near, far]) expectLost(await within(end.closed, signal, 'the silence to be noticed'))
      expect((await within(here.closed, signal, 'its stream to end')).kind).not.toBe('finished')
    },
  },
  'goes on serving after garbage on its port': {
    requires: 'network',
    async run({ connect, listener, clock, arrived, signal }) {
      const garbage = [randomBytes(300), Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), Buffer.alloc(70_000)]
      const closes = Promise.all(garbage.map(async (bytes) => sendAndAwaitClose(listener.endpoint, bytes)))
      // What is not refused at sight has to run into a limit.
      const patience = setInterval(() => clock.advance(1_000), 10)
      try {
        await within(closes, signal, 'the garbage to be shut out')
      } finally {
        clearInterval(patience)
      }
      expect(arrived).toEqual([])
      const { near, far } = await connect()
      await roundTrips(near, far, signal)
    },
  },
  'leaves nothing open': {
    requires: 'network',
    async run({ connect, listener, signal }) {
      const before = openHandles()
      for (let round = 0; round < 5; round++) {
        const { near, far } = await connect()
        await roundTrips(near, far, signal)
        await within(near.close(), signal, 'the connection to close')
        await within(far.closed, signal, 'the peer to close')
      }
      await listener.close()
      await within(
        (async () => {
          while (openHandles() > before && !signal.aborted) await new Promise((resolve) => setImmediate(resolve))
        })(),
        signal,
        'every handle to be closed',
      )
      expect(openHandles()).toBeLessThanOrEqual(before)
    },
  },
}

function expectLost(reason: CloseReason): void {
  expect(reason.kind).toBe('lost')
  expect(reason.kind === 'lost' && ConnectivityError.is(reason.error, 'TUNNEL_LOST')).toBe(true)
}

function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length
}
