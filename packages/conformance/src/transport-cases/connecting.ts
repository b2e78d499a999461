import { ConnectivityError } from '@sallyport/core'
import { expect } from '../expect.ts'
import { createSilentPort } from '../network.ts'
import { reasonOf, within } from '../probe.ts'
import { roundTrips } from './driven-streams.ts'
import type { TransportCase } from './transport-case.ts'

export type ConnectingCase =
  | 'does not connect once the signal has fired'
  | 'says so when nobody listens'
  | 'accepts no more once the listener is closed, and keeps what is open'
  | 'measures the round trip'
  | 'gives up connecting when the signal fires'

/** How connections come about, and how they do not. */
export const connectingCases: Readonly<Record<ConnectingCase, TransportCase>> = {
  'does not connect once the signal has fired': {
    async run({ transport, listener, arrived }) {
      const error = await reasonOf(transport.connect(listener.endpoint, { signal: AbortSignal.abort() }))
      expect(ConnectivityError.is(error, 'ABORTED')).toBe(true)
      expect(arrived).toEqual([])
    },
  },
  'says so when nobody listens': {
    async run({ transport, listener, signal }) {
      await listener.close()
      const error = await reasonOf(transport.connect(listener.endpoint, { signal }))
      expect(ConnectivityError.is(error, 'PEER_UNREACHABLE')).toBe(true)
    },
  },
  'accepts no more once the listener is closed, and keeps what is open': {
    async run({ connect, transport, listener, signal }) {
      const { near, far } = await connect()
      await within(listener.close(), signal, 'the listener to close')
      await within(listener.close(), signal, 'the listener to close a second time')
      await roundTrips(near, far, signal)
      expect(ConnectivityError.is(await reasonOf(transport.connect(listener.endpoint, { signal })))).toBe(true)
    },
  },
  'measures the round trip': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      await roundTrips(near, far, signal)
      for (const end of [near, far]) {
        expect(end.roundTripMs).toBeGreaterThan(0)
        expect(end.roundTripMs).toBeLessThan(10_000)
      }
    },
  },
  'gives up connecting when the signal fires': {
    requires: 'network',
    async run({ transport, listener, signal }) {
      await using silent = await createSilentPort(listener.endpoint)
      const controller = new AbortController()
      const attempt = reasonOf(transport.connect(silent.endpoint, { signal: controller.signal }))
      setImmediate(() => controller.abort())
      expect(ConnectivityError.is(await within(attempt, signal, 'the attempt to be given up'), 'ABORTED')).toBe(true)
    },
  },
}
