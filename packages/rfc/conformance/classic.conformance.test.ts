import { describeAdapter, type FarEnd } from '@sallyport/conformance'
import { classicRfcBackend, withGuest } from '@sallyport/conformance/backends'
import { createSecret, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { createClassicBinding, createRfcAdapter } from '../src/index.ts'

const proxyToken = 'proxy.token.of-the-connectivity-client'

const common = {
  ...classicRfcBackend,
  create: () => withGuest(createRfcAdapter({ clock: systemClock, bindings: [createClassicBinding()] })),
}

describeAdapter('rfc by classic over a dial in memory', { ...common, open: async () => createMemoryNetwork() })

describeAdapter('rfc by classic over sockets', {
  ...common,
  open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }),
})

describeAdapter('rfc by classic over SOCKS5 of a connectivity proxy', {
  ...common,
  async open() {
    const network = createSocketNetwork()
    const proxy = await createSocksServer({ token: proxyToken, route: (_host, port) => ({ host: '127.0.0.1', port }) })
    return {
      dial: createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(proxyToken) }),
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
  secrets: [proxyToken],
})
