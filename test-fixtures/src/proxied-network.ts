import type { Address } from '@sallyport/core'
import { createForwardProxy } from './forward-proxy.ts'
import { createSocketNetwork } from './socket-network.ts'
import type { FarEnd } from './test-network.ts'

/** Peers that only the HTTP port of a connectivity proxy leads to, as `erp.virtual` at the connector with location ID `orlando`. */
export interface ProxiedNetwork extends AsyncDisposable {
  readonly proxy: Address
  serve(handler: (far: FarEnd) => void): Promise<Address>
  /** An address where attempts are refused at once. */
  unused(): Promise<Address>
  /** Settles when no connection is open, those of the proxy included. */
  idle(): Promise<void>
}

/** Starts a proxy that accepts one token, in front of a network of its own. */
export async function createProxiedNetwork(token: string): Promise<ProxiedNetwork> {
  const network = createSocketNetwork()
  const proxy = await createForwardProxy({
    tokens: [token],
    route: (host, port, locationId) => (host === 'erp.virtual' && locationId === 'orlando' ? { host: '127.0.0.1', port } : 403),
  })
  const virtual = (address: Address): Address => ({ ...address, host: 'erp.virtual' })
  return {
    proxy: proxy.address,
    serve: async (handler) => virtual(await network.serve(handler)),
    unused: async () => virtual(await network.unused()),
    async idle() {
      await Promise.all([network.idle(), proxy.idle()])
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
    },
  }
}
