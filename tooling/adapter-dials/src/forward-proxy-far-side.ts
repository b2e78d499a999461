import type { FarSide } from '@sallyport/conformance'
import { createSecret } from '@sallyport/core'
import { createProxyDial } from '@sallyport/dial'
import { createConnectProxy } from '@sallyport/test-fixtures'
import { openVirtualNetwork, virtualHost } from './virtual-network.ts'

/** What opens the proxy of the company. */
export const proxyPassword = 'p4ssword-of-the-forward-proxy'

/** Backends behind a company's forward proxy, which knows `CONNECT`. */
export async function openForwardProxyFarSide(): Promise<FarSide> {
  const user = 'proxy-user'
  const proxy = await createConnectProxy({
    credentials: { user, password: proxyPassword },
    route(authority) {
      const [host, port] = authority.split(':')
      return host === virtualHost ? { host: '127.0.0.1', port: Number(port) } : 'HTTP/1.1 403 Forbidden\r\n\r\n'
    },
  })
  const dial = createProxyDial({ kind: 'http', proxy: proxy.address, credentials: { user, password: createSecret(proxyPassword) } })
  return openVirtualNetwork({ dial, idle: proxy.idle, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() })
}
