import { describeAdapter, type FarEnd } from '@sallyport/conformance'
import { httpBackend } from '@sallyport/conformance/backends'
import { createSecret, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createForwardProxy, createMemoryNetwork, createSocketNetwork } from '@sallyport/test-fixtures'
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
  async open() {
    const network = createSocketNetwork()
    const proxy = await createForwardProxy({
      tokens: [proxyToken],
      route: (host, port, locationId) => (host === 'erp.virtual' && locationId === 'orlando' ? { host: '127.0.0.1', port } : 403),
    })
    return {
      dial: createDirectDial(),
      proxy: proxy.address,
      serve: async (handler: (far: FarEnd) => void) => ({ ...(await network.serve(handler)), host: 'erp.virtual' }),
      unused: async () => ({ ...(await network.unused()), host: 'erp.virtual' }),
      async idle() {
        await Promise.all([network.idle(), proxy.idle()])
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
      },
    }
  },
  create: ({ proxy }) =>
    createHttpAdapter({
      clock: systemClock,
      proxy: { address: proxy, tenant: 'acme', token: async () => createSecret(proxyToken) },
    }),
  features: { ...httpBackend.features, principal: true, locations: false },
  secrets: [proxyToken],
})
