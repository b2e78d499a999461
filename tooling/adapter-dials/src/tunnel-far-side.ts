import type { FarSide } from '@sallyport/conformance'
import { type AuditSink, systemClock } from '@sallyport/core'
import { createTunnelDial } from '@sallyport/dial/tunnel'
import { createOpenStreams, createTestCa } from '@sallyport/test-fixtures'
import { createTunnelClient, createTunnelServer } from '@sallyport/tunnel'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { createConnectorEnd } from './connector-end.ts'
import { openVirtualNetwork, virtualHost } from './virtual-network.ts'

const subaccount = 'demo'
const ca = createTestCa()
const cloud = { ...ca.issue({ subject: '/CN=cloud' }), ca: ca.certificate }
const connector = { ...ca.issue({ subject: '/CN=connector', names: [] }), ca: ca.certificate }
const audit: AuditSink = { failing: false, write: () => {}, flushed: async () => {} }

/** Backends at the connector with location ID `orlando`, reached over its tunnel without a proxy between. */
export async function openTunnelFarSide(): Promise<FarSide> {
  const clock = systemClock
  const server = createTunnelServer({
    transport: createTlsTransport({ clock, server: cloud }),
    endpoint: new URL('tls://127.0.0.1:0'),
    authorize: async () => ({ allowed: true, subaccount }),
    trust: async () => [],
    clock,
    audit,
  })
  const end = createConnectorEnd({ virtualHost, backendHost: '127.0.0.1' })
  const client = createTunnelClient({
    transport: createTlsTransport({ clock, client: connector }),
    endpoint: await server.listen(),
    hello: { locationId: 'orlando', connectorId: 'connector', agentVersion: '0.1.0', description: 'a connector of a test' },
    onStream: end.take,
    clock,
    random: Math.random,
  })
  await client.whenReady(AbortSignal.timeout(10_000))
  const dial = createTunnelDial({ subaccount, connection: (locationId) => server.find(subaccount, locationId) })
  const dialled = createOpenStreams()
  return openVirtualNetwork({
    async dial(address, options) {
      const stream = await dial(address, options)
      dialled.add(stream)
      return stream
    },
    async idle() {
      await Promise.all([dialled.idle(), end.idle()])
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([client.close({ graceMs: 0 }), server.close({ graceMs: 0 })])
      // What a case that failed has left open.
      dialled.destroyAll()
    },
  })
}
