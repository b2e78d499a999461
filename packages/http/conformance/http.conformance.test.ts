import { describeAdapter } from '@sallyport/conformance'
import { httpBackend } from '@sallyport/conformance/backends'
import { createSecret, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createMemoryNetwork, createProxiedNetwork, createSocketNetwork } from '@sallyport/test-fixtures'
import { createHttpAdapter } from '../src/index.ts'

const proxyToken = 'proxy.token.of-the-connectivity-client'

describeAdapter('http over a dial in memory', {
  ...httpBackend,
  open: async () => createMemoryNetwork(),
  create: () => createHttpAdapter({ clock: systemClock }),
})

describeAdapter('http over sockets', {
  ...httpBackend,
  async open() {
    const network = createSocketNetwork()
    return { ...network, dial: createDirectDial() }
  },
  create: () => createHttpAdapter({ clock: systemClock }),
})

describeAdapter('http through a connectivity proxy', {
  ...httpBackend,
  open: async () => ({ ...(await createProxiedNetwork(proxyToken)), dial: createDirectDial() }),
  create: ({ proxy }) =>
    createHttpAdapter({
      clock: systemClock,
      proxy: { address: proxy, tenant: 'acme', token: async () => createSecret(proxyToken) },
    }),
  features: { ...httpBackend.features, principal: true, locations: false },
  secrets: [proxyToken],
})
