import { ConnectivityError, type Dial } from '@sallyport/core'
import { createMemoryNetwork, type MemoryNetwork } from '../src/index.ts'

/** An address that nobody exposes. */
export const denied = { host: 'denied.memory', port: 1 }

/** The reference of suites: peers in memory with nothing between, but for what `change` does to the dial. */
export function openMemory(change: (dial: Dial) => Dial = (dial) => dial): { readonly network: MemoryNetwork; readonly dial: Dial } {
  const network = createMemoryNetwork()
  const dial: Dial = async (address, options) => {
    if (address.host === denied.host) throw new ConnectivityError('ACCESS_DENIED', 'denied.memory is not exposed')
    return network.dial(address, options)
  }
  return { network, dial: change(dial) }
}
