import { abortedError, ConnectivityError, type Dial, formatAddress } from '@sallyport/core'
import { createMemoryPair } from './memory-pair.ts'
import { createOpenStreams } from './open-streams.ts'
import type { FarEnd, TestNetwork } from './test-network.ts'

export interface MemoryNetwork extends TestNetwork {
  /** An address whose attempts never finish. */
  silent(): Promise<{ readonly host: string; readonly port: number }>
  /** What the latest dial was told. */
  readonly lastLocationId: string | undefined
}

/** Peers in memory and the dial that reaches them: the reference implementation of {@link Dial}. */
export function createMemoryNetwork(): MemoryNetwork {
  const peers = new Map<string, (far: FarEnd) => void>()
  const open = createOpenStreams()
  let serial = 0
  let lastLocationId: string | undefined
  const nextAddress = (): { host: string; port: number } => ({ host: `peer${++serial}.memory`, port: 1000 + serial })
  const silent = new Set<string>()

  const dial: Dial = async (address, { signal, locationId }) => {
    const key = formatAddress(address)
    if (signal.aborted) throw abortedError(signal, `connect to ${key}`)
    lastLocationId = locationId
    if (silent.has(key)) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    else await new Promise(setImmediate)
    if (signal.aborted) throw abortedError(signal, `connect to ${key}`)
    const handler = peers.get(key)
    if (handler === undefined) throw new ConnectivityError('BACKEND_UNREACHABLE', `nobody answers at ${key}`)
    const [near, far] = createMemoryPair()
    open.add(far)
    handler({ stream: far, reset: () => far.destroy(new Error('reset by the test')) })
    return near
  }

  return {
    dial,
    serve: async (handler) => {
      const address = nextAddress()
      peers.set(formatAddress(address), handler)
      return address
    },
    unused: async () => nextAddress(),
    silent: async () => {
      const address = nextAddress()
      silent.add(formatAddress(address))
      return address
    },
    idle: open.idle,
    get accepted() {
      return open.accepted
    },
    get lastLocationId() {
      return lastLocationId
    },
    async [Symbol.asyncDispose]() {
      open.destroyAll()
      await open.idle()
    },
  }
}
