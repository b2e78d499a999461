import { type AdapterSubject, describeAdapter, type FarSide } from '@sallyport/conformance'
import type { Destination, ProtocolClient } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork } from '@sallyport/test-fixtures'
import { openForwardProxyFarSide, proxyPassword } from './forward-proxy-far-side.ts'
import { openSocksFarSide, proxyToken } from './socks-far-side.ts'
import { openTunnelFarSide } from './tunnel-far-side.ts'

/** What the suite needs to know of an adapter whichever dial it is given. */
export type AdapterOverDials<T extends Destination['type'], Client extends ProtocolClient> = Omit<
  AdapterSubject<T, Client, FarSide>,
  'open' | 'secrets'
>

/** A way to a backend, and the secrets of whoever dials. */
interface Way {
  readonly open: () => Promise<FarSide>
  readonly secrets?: readonly string[]
}

const ways: Readonly<Record<string, Way>> = {
  'over a dial in memory': { open: async () => createMemoryNetwork() },
  'over sockets': { open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }) },
  'through SOCKS5': { open: openSocksFarSide, secrets: [proxyToken] },
  'through a forward proxy': { open: openForwardProxyFarSide, secrets: [proxyPassword] },
  'through a tunnel': { open: openTunnelFarSide },
}

/** Holds an adapter to its contract once per dial. */
export function describeOverDials<T extends Destination['type'], Client extends ProtocolClient>(
  name: string,
  subject: AdapterOverDials<T, Client>,
): void {
  for (const [way, how] of Object.entries(ways)) describeAdapter(`${name} ${way}`, { ...subject, ...how })
}
