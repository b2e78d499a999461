import { describeAdapter } from '@sallyport/conformance'
import { ldapBackend } from '@sallyport/conformance/backends'
import { createSecret, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { createLdapAdapter } from '../src/index.ts'

const token = 'header.payload.signature-of-the-proxy'

for (const driver of ['ldapjs', 'ldapts'] as const) {
  const parts = { ...ldapBackend, create: () => createLdapAdapter({ clock: systemClock, driver }) }
  describeAdapter(`${driver} over a dial in memory`, { ...parts, open: async () => createMemoryNetwork() })

  describeAdapter(`${driver} over sockets`, {
    ...parts,
    open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }),
  })

  describeAdapter(`${driver} through SOCKS5`, {
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
}
