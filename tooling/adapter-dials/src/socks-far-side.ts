import type { FarSide } from '@sallyport/conformance'
import { createSecret } from '@sallyport/core'
import { createProxyDial } from '@sallyport/dial'
import { createSocksServer } from '@sallyport/test-fixtures'
import { openVirtualNetwork, virtualHost } from './virtual-network.ts'

/** What the SOCKS5 port admits. */
export const proxyToken = 'header.payload.signature-of-the-proxy'

/** Backends behind the SOCKS5 port of a connectivity proxy, at the connector with location ID `orlando`. */
export async function openSocksFarSide(): Promise<FarSide> {
  const proxy = await createSocksServer({
    token: proxyToken,
    route: (host, port, locationId) => (host === virtualHost && locationId === 'orlando' ? { host: '127.0.0.1', port } : 2),
  })
  const dial = createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(proxyToken) })
  return openVirtualNetwork({ dial, idle: proxy.idle, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() })
}
