import { describeAdapter, type FarEnd } from '@sallyport/conformance'
import { tcpBackend } from '@sallyport/conformance/backends'
import { createSecret, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { createTcpAdapter } from '../src/index.ts'

const token = 'header.payload.signature-of-the-proxy'

const parts = { ...tcpBackend, create: () => createTcpAdapter({ clock: systemClock }) }

describeAdapter('tcp over a dial in memory', { ...parts, open: async () => createMemoryNetwork() })

describeAdapter('tcp over sockets', {
  ...parts,
  async open() {
    const network = createSocketNetwork()
    return { ...network, dial: createDirectDial() }
  },
})

describeAdapter('tcp through SOCKS5', {
  ...parts,
  async open() {
    const network = createSocketNetwork()
    const proxy = await createSocksServer({ token, route: (_host, port) => ({ host: '127.0.0.1', port }) })
    return {
      dial: createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(token) }),
      serve: async (handler: (far: FarEnd) => void) => ({ ...(await network.serve(handler)), host: 'echo.virtual' }),
      unused: async () => ({ ...(await network.unused()), host: 'echo.virtual' }),
      async idle() {
        await Promise.all([network.idle(), proxy.idle()])
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
      },
    }
  },
  secrets: [token],
})
