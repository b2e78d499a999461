import type { FarSide } from '@sallyport/conformance'
import type { Address, Dial } from '@sallyport/core'
import { createSocketNetwork } from '@sallyport/test-fixtures'

/** A name that exists nowhere: an adapter or a dial that looks it up by itself does not get far. */
export const virtualHost = 'backend.virtual'

/** What stands between the dial and the backends of a far side. */
export interface Between extends AsyncDisposable {
  readonly dial: Dial
  /** Settles when nothing of it is open. */
  idle(): Promise<void>
}

/** Peers on loopback sockets that the adapter knows by a virtual name only, behind `between`. The far side disposes both. */
export function openVirtualNetwork(between: Between): FarSide {
  const network = createSocketNetwork()
  const virtual = (address: Address): Address => ({ ...address, host: virtualHost })
  return {
    dial: between.dial,
    serve: async (handler) => virtual(await network.serve(handler)),
    unused: async () => virtual(await network.unused()),
    async idle() {
      await Promise.all([network.idle(), between.idle()])
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([network[Symbol.asyncDispose](), between[Symbol.asyncDispose]()])
    },
  }
}
