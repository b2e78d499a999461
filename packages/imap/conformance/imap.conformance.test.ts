import { describeAdapter } from '@sallyport/conformance'
import { imapBackend } from '@sallyport/conformance/backends'
import { createSecret, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { ImapFlow } from 'imapflow'
import { ImapFlow as OlderImapFlow } from 'imapflow-2.1'
import { createImapAdapter, type ImapFlowClass } from '../src/index.ts'

const token = 'header.payload.signature-of-the-proxy'

const libraries: readonly (readonly [string, ImapFlowClass])[] = [
  ['with the option transport', ImapFlow],
  ['over the bridge', OlderImapFlow as unknown as ImapFlowClass],
]

for (const [how, library] of libraries) {
  const parts = { ...imapBackend, create: () => createImapAdapter({ clock: systemClock, library }) }
  describeAdapter(`imap ${how} and a dial in memory`, { ...parts, open: async () => createMemoryNetwork() })

  describeAdapter(`imap ${how} and sockets`, {
    ...parts,
    open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }),
  })

  describeAdapter(`imap ${how} and SOCKS5`, {
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
