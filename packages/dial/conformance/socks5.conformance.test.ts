import { describeDial } from '@sallyport/conformance'
import { createSecret, type ErrorCode } from '@sallyport/core'
import { createSocketNetwork, createSocksServer, createTestIssuer, type SocksServerOptions } from '@sallyport/test-fixtures'
import { createProxyDial } from '../src/index.ts'

const token = createTestIssuer().technical()

/** Virtual hosts whose requests are refused: reply code and the code that a caller sees. */
const refused: Readonly<Record<string, readonly [number, ErrorCode]>> = {
  'failing.virtual': [1, 'SERVICE_UNAVAILABLE'],
  'denied.virtual': [2, 'ACCESS_DENIED'],
  'unconnected.virtual': [3, 'CONNECTOR_NOT_CONNECTED'],
  'down.virtual': [4, 'BACKEND_UNREACHABLE'],
  'unauthorized.virtual': [5, 'PROXY_AUTHORIZATION_REQUIRED'],
  'expired.virtual': [6, 'BACKEND_UNREACHABLE'],
  'command.virtual': [7, 'MESSAGE_INVALID'],
  'type.virtual': [8, 'MESSAGE_INVALID'],
  'strange.virtual': [99, 'PROTOCOL_VIOLATION'],
}

for (const [variant, options] of [
  ['in whole messages', {}],
  ['byte by byte', { fragment: true }],
] satisfies [string, Partial<SocksServerOptions>][]) {
  describeDial(`SOCKS5, ${variant}`, {
    async open() {
      const network = createSocketNetwork()
      const answering = await createSocksServer({
        ...options,
        token,
        // Virtual hosts exist for the far side alone: their ports are those of the peers on loopback.
        route: (host, port) => refused[host]?.[0] ?? { host: '127.0.0.1', port },
      })
      const silent = await createSocksServer({ token, silentBefore: 'reply', route: () => 1 })
      const dialOf = (server: typeof answering): ReturnType<typeof createProxyDial> =>
        createProxyDial({ kind: 'socks5', proxy: server.address, token: async () => createSecret(token) })
      const [dial, silentDial] = [dialOf(answering), dialOf(silent)]
      return {
        dial: (address, dialOptions) => (address.host === 'silent.virtual' ? silentDial : dial)(address, dialOptions),
        serve: async (handler) => ({ ...(await network.serve(handler)), host: 'peer.virtual' }),
        unused: async () => ({ ...(await network.unused()), host: 'peer.virtual' }),
        async idle() {
          await Promise.all([network.idle(), answering.idle(), silent.idle()])
        },
        silent: async () => ({ host: 'silent.virtual', port: 1 }),
        lastLocationId: () => answering.attempts.at(-1)?.locationId,
        refusals: async () =>
          Object.entries(refused).map(([host, [reply, code]]) => ({ what: `reply ${reply}`, address: { host, port: 1 }, code })),
        async [Symbol.asyncDispose]() {
          await Promise.all([network, answering, silent].map((part) => part[Symbol.asyncDispose]()))
        },
      }
    },
    features: { silence: true, locations: true, refusals: true },
    secrets: [token],
    proves: {
      'stops the writer while the far side does not read': 'PR-004',
      'tells each refusal by its code, and leaves nothing open': 'PR-005',
      'gives up when it is aborted while connecting, and leaves nothing open': 'PR-006',
    },
  })
}
