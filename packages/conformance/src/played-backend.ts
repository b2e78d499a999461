import { type Address, formatAddress } from '@sallyport/core'
import type { FarEnd } from './far-side.ts'
import type { ProxyContext } from './proxy-far-side.ts'
import { createRawPeer, openRawClient, type RawClient, type RawPeer } from './raw-peer.ts'

/** A backend that a case plays. */
export interface PlayedBackend {
  readonly address: Address
  /** As it stands in a URL. */
  readonly authority: string
  /** Connections so far. */
  readonly peers: readonly RawPeer[]
  /** The next connection. */
  accept(): Promise<RawPeer>
}

/** Connects to the listener. */
export async function openClient({ far, signal, opened }: ProxyContext): Promise<RawClient> {
  const client = await openRawClient(far.listener.port, { host: far.listener.host, signal })
  opened.add(client)
  return client
}

/** Puts a backend behind a virtual host. `play` is called for each connection; its errors do not matter, the case has its own. */
export async function playBackend(context: ProxyContext, play: (peer: RawPeer) => unknown = () => {}): Promise<PlayedBackend> {
  const played = collectPeers(context, play)
  return describeBackend(await context.far.serve(played.handler), played)
}

/** The same at an IPv4 address in dotted form. */
export async function playDotted(context: ProxyContext, play: (peer: RawPeer) => unknown): Promise<PlayedBackend> {
  const played = collectPeers(context, play)
  const address = await context.far.serveDotted?.(played.handler)
  if (address === undefined) throw new Error('the subject claims dotted and offers no such address')
  return describeBackend(address, played)
}

/** The same behind the other connector, at the address of a backend that is there already. */
export async function playElsewhere(
  context: ProxyContext,
  { address }: PlayedBackend,
  play: (peer: RawPeer) => unknown,
): Promise<PlayedBackend & { readonly locationId: string }> {
  const { elsewhere } = context.far
  if (elsewhere === undefined) throw new Error('the subject claims locations and offers no second connector')
  const played = collectPeers(context, play)
  await elsewhere.serve(address, played.handler)
  return { ...describeBackend(address, played), locationId: elsewhere.locationId }
}

interface CollectedPeers extends Pick<PlayedBackend, 'peers' | 'accept'> {
  readonly handler: (far: FarEnd) => void
}

function describeBackend(address: Address, { peers, accept }: CollectedPeers): PlayedBackend {
  return { address, authority: formatAddress(address), peers, accept }
}

function collectPeers({ signal }: ProxyContext, play: (peer: RawPeer) => unknown): CollectedPeers {
  const peers: RawPeer[] = []
  const waiting: ((peer: RawPeer) => void)[] = []
  let accepted = 0
  return {
    peers,
    handler({ stream }) {
      const peer = createRawPeer(stream, signal)
      peers.push(peer)
      waiting.shift()?.(peer)
      Promise.resolve(play(peer)).catch(() => {})
    },
    accept() {
      const ready = peers[accepted++]
      if (ready !== undefined) return Promise.resolve(ready)
      return new Promise((resolve, reject) => {
        waiting.push(resolve)
        signal.addEventListener('abort', () => reject(new Error('waited too long for a connection to the backend')), { once: true })
      })
    },
  }
}
