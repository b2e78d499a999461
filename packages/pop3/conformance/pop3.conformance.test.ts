import { describeAdapter } from '@sallyport/conformance'
import { pop3Backend } from '@sallyport/conformance/backends'
import { createSecret, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { createPop3Adapter } from '../src/index.ts'

const token = 'header.payload.signature-of-the-proxy'

const parts = { ...pop3Backend, create: () => createPop3Adapter({ clock: systemClock }) }

describeAdapter('pop3 over a dial in memory', { ...parts, open: async () => createMemoryNetwork() })

describeAdapter('pop3 over sockets', {
  ...parts,
  open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }),
})

describeAdapter('pop3 through SOCKS5', {
  ...parts,
  async open() {
    const network = createSocketNetwork()
    const proxy = await createSocksServer({ token, route: (host, port) => ({ host, port }) })
    return {
      ...network,
      dial: createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(token) }),
      idle: async () => {
        await Promise.all([network.idle(), proxy.idle()])
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
      },
    }
  },
  secrets: [token],
})
