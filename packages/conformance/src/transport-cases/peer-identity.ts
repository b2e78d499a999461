import { ConnectivityError } from '@sallyport/core'
import { expect } from '../expect.ts'
import { reasonOf, within } from '../probe.ts'
import { roundTrips } from './driven-streams.ts'
import type { TransportCase } from './transport-case.ts'

export type PeerIdentityCase = 'proves who the peer is' | 'turns strangers away on both sides'

/** Who the peer is, for transports that prove it. */
export const peerIdentityCases: Readonly<Record<PeerIdentityCase, TransportCase>> = {
  'proves who the peer is': {
    requires: 'peerIdentity',
    async run({ connect }) {
      const { near, far } = await connect()
      expect(near.peerCertificate?.fingerprint256).toMatch(/^[0-9A-F:]{95}$/)
      expect(far.peerCertificate?.fingerprint256).toMatch(/^[0-9A-F:]{95}$/)
      expect(near.peerCertificate?.fingerprint256).not.toBe(far.peerCertificate?.fingerprint256)
    },
  },
  'turns strangers away on both sides': {
    requires: 'peerIdentity',
    async run({ connect, listener, strangers, arrived, signal }) {
      expect(strangers.length).toBeGreaterThan(0)
      for (const { who, transport } of strangers) {
        const error = await within(reasonOf(transport.connect(listener.endpoint, { signal })), signal, `${who} to be turned away`)
        expect(ConnectivityError.is(error, 'PEER_UNTRUSTED'), `${who}: ${String(error)}`).toBe(true)
      }
      expect(arrived).toEqual([])
      const { near, far } = await connect()
      await roundTrips(near, far, signal)
    },
  },
}
