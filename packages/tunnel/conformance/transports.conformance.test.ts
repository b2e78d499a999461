import { describeTransport } from '@sallyport/conformance'
import type { TransportDeps } from '@sallyport/conformance/cases'
import type { TunnelTransport } from '@sallyport/core'
import { createTestCa } from '@sallyport/test-fixtures'
import { createMemoryTransport } from '../src/transports/memory.ts'
import { createTlsTransport } from '../src/transports/tls.ts'

const ca = createTestCa()
const otherCa = createTestCa({ subject: '/O=Test/CN=Another CA' })
const server = { ...ca.issue({ subject: '/CN=server' }), ca: ca.certificate }
const client = { ...ca.issue({ subject: '/CN=client', names: [] }), ca: ca.certificate }
const elsewhere = ca.issue({ subject: '/CN=elsewhere', names: ['elsewhere.example'] })
const foreign = otherCa.issue({ subject: '/CN=client', names: [] })

for (const lanes of [1, 2]) {
  describeTransport(`memory, lanes: ${lanes}`, {
    create: ({ clock }) => createMemoryTransport({ clock, lanes }),
    endpoint: () => new URL('memory://demo'),
    features: { peerIdentity: false, network: false },
  })

  const dialler = (clock: TransportDeps['clock'], material: typeof client): TunnelTransport =>
    createTlsTransport({ clock, lanes, client: material })
  describeTransport(`tls, lanes: ${lanes}`, {
    create: ({ clock }) => createTlsTransport({ clock, lanes, client, server }),
    endpoint: () => new URL('tls://127.0.0.1:0'),
    features: { peerIdentity: true, network: true },
    strangers: ({ clock }) => [
      { who: 'a client of another authority', transport: dialler(clock, { ...foreign, ca: ca.certificate }) },
      { who: 'a client that trusts another authority', transport: dialler(clock, { ...client, ca: otherCa.certificate }) },
      {
        who: 'a client that looks for another name',
        transport: createTlsTransport({ clock, lanes, client: { ...client, servername: 'elsewhere.example' } }),
      },
      {
        who: 'a client that has pinned another certificate',
        transport: createTlsTransport({
          clock,
          lanes,
          client: { ...client, verify: (certificate) => certificate.subject === elsewhere.certificate },
        }),
      },
    ],
    proves: { 'turns strangers away on both sides': 'CP-092' },
  })
}
