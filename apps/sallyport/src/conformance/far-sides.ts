import type { Duplex } from 'node:stream'
import type { AdapterParts, DialFarSide, FarSide, ProxyFarSide, RfcFarSide } from '@sallyport/conformance/cases'
import type { Address, Destination, Dial, ProtocolClient, Secret } from '@sallyport/core'
import type { AnyAdapterTrial } from './adapter-trials.ts'
import { createFarSlots, type FarSlots } from './far-slots.ts'
import type { Slot, Target } from './read-target.ts'

/** A dial that means the connector of the target wherever a case means the one that its far side has. */
export function atLocation(dial: Dial, locationId: string): Dial {
  return (address, options) => dial(address, { ...options, locationId })
}

/** The far side of one case of a dial. */
export function openDialFarSide(target: Target, dial: Dial): DialFarSide {
  const { notExposed } = target
  const slots = createFarSlots(target.tcp)
  return {
    ...farSide(slots, dial),
    refusals: async () => [
      { what: 'a backend that refuses connections', address: slots.unused(), code: 'BACKEND_UNREACHABLE' },
      ...(notExposed === undefined
        ? []
        : ([{ what: 'an address that is not exposed', address: notExposed, code: 'ACCESS_DENIED' }] as const)),
    ],
  }
}

/** The far side of one case of RFC. */
export function openRfcFarSide(target: Target, dial: Dial): RfcFarSide {
  const { notExposed } = target
  return { ...farSide(createFarSlots(target.rfc), dial), ...(notExposed === undefined ? {} : { notExposed }) }
}

/** The far side of one case of a listener. */
export function openProxyFarSide(target: Target, listener: Address, addresses: readonly Slot[], token: Secret): ProxyFarSide {
  const { elsewhereLocation, dotted, notExposed } = target
  const slots = createFarSlots(addresses)
  const dottedSlots = dotted === undefined ? undefined : createFarSlots([dotted])
  const [jane, john] = target.users
  return {
    listener,
    token: token.reveal(),
    location: target.location,
    serve: slots.serve,
    unused: async () => slots.unused(),
    ...(notExposed === undefined ? {} : { notExposed }),
    ...(elsewhereLocation === undefined ? {} : { elsewhere: { locationId: elsewhereLocation, serve: slots.serveElsewhere } }),
    ...(jane === undefined || john === undefined ? {} : { users: [jane.reveal(), john.reveal()] as const }),
    ...(dottedSlots === undefined ? {} : { serveDotted: dottedSlots.serve }),
    async [Symbol.asyncDispose]() {
      await Promise.all([slots[Symbol.asyncDispose](), dottedSlots?.[Symbol.asyncDispose]()])
    },
  }
}

/** What the adapter suite needs of one adapter at the target. */
export function adapterParts(
  target: Target,
  trial: AnyAdapterTrial,
  deps: { readonly dial: Dial; readonly token: Secret; readonly limitMs: number },
): Omit<AdapterParts<Destination['type'], ProtocolClient, FarSide>, 'create'> {
  const { backend, over, mappings } = trial
  return {
    ...backend,
    open: async () => farSide(createFarSlots(target[mappings]), deps.dial),
    // Through SOCKS5 the dial sees to the location; over HTTP the adapter tells the proxy itself.
    destination: (address) => (over === 'http' ? backend.destination(address, target.location) : backend.destination(address)),
    secrets: deps.token.reveal() === '' ? [] : [deps.token.reveal()],
    limitMs: deps.limitMs,
  }
}

/** What a case opened and left open, because it failed, is closed with its far side. */
function farSide(slots: FarSlots, dial: Dial): FarSide {
  const opened = new Set<Duplex>()
  return {
    async dial(address, options) {
      const stream = await dial(address, options)
      opened.add(stream)
      stream.once('close', () => opened.delete(stream))
      return stream
    },
    serve: slots.serve,
    unused: async () => slots.unused(),
    idle: slots.idle,
    async [Symbol.asyncDispose]() {
      for (const stream of opened) stream.on('error', () => {}).destroy()
      await slots[Symbol.asyncDispose]()
    },
  }
}
