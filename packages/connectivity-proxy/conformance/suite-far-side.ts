import type { ProxyFarSide } from '@sallyport/conformance/cases'
import { formatAddress } from '@sallyport/core'
import { createSocketNetwork } from '@sallyport/test-fixtures'
import { type Rig, type RigConnector, startRig } from './rig.ts'
import { startTamperingRelay, type Tampering } from './tampering-relay.ts'

/** The proxy, one connector without and one with a location ID; shared by all cases of a file. */
export interface SuiteWorld extends AsyncDisposable {
  readonly rig: Rig
  readonly here: RigConnector
  readonly elsewhere: RigConnector
}

const locationId = 'Orlando'
let serial = 0

export async function startSuiteWorld(options: Parameters<typeof startRig>[0] = {}): Promise<SuiteWorld> {
  const rig = await startRig(options)
  const here = await rig.connect()
  const elsewhere = await rig.connect({ locationId })
  return { rig, here, elsewhere, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() }
}

/** What tampers with the bytes between application and proxy, and between connector and backend. */
export interface Tamperings {
  readonly front?: Tampering
  readonly back?: Tampering
}

/** The far side of one case: backends on sockets behind virtual addresses of their own. */
export async function openSuiteFarSide(
  { rig, here, elsewhere }: SuiteWorld,
  listener: 'http' | 'socks5',
  { front, back }: Tamperings = {},
): Promise<ProxyFarSide> {
  const network = createSocketNetwork()
  const relays: (AsyncDisposable & { readonly port: number })[] = []
  const relayTo = async (port: number, tampering: Tampering | undefined): Promise<number> => {
    if (tampering === undefined) return port
    const relay = await startTamperingRelay(port, tampering)
    relays.push(relay)
    return relay.port
  }
  const nextAddress = (): { host: string; port: number } => ({ host: `far${++serial}.demo`, port: 1000 + serial })
  const serveAt = async (
    connector: RigConnector,
    address: { readonly host: string; readonly port: number },
    handler: Parameters<typeof network.serve>[0],
  ): Promise<void> => {
    connector.mappings.set(formatAddress(address), await relayTo((await network.serve(handler)).port, back))
  }
  const serve =
    (next: typeof nextAddress): ProxyFarSide['serve'] =>
    async (handler) => {
      const address = next()
      await serveAt(here, address, handler)
      return address
    }
  return {
    listener: { host: '127.0.0.1', port: await relayTo(listener === 'http' ? rig.http : rig.socks, front) },
    token: rig.issuer.technical(),
    serve: serve(nextAddress),
    serveDotted: serve(() => ({ host: `10.0.0.${(++serial % 250) + 1}`, port: 1000 + serial })),
    async unused() {
      const address = nextAddress()
      here.mappings.set(formatAddress(address), 'unreachable')
      return address
    },
    notExposed: { host: 'hidden.demo', port: 80 },
    elsewhere: { locationId, serve: (address, handler) => serveAt(elsewhere, address, handler) },
    users: [rig.issuer.user('jane'), rig.issuer.user('john')],
    async [Symbol.asyncDispose]() {
      await Promise.all([network, ...relays].map((one) => one[Symbol.asyncDispose]()))
    },
  }
}
