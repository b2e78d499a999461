import type { AuditEntry, AuditSink, ConnectivityEvent, IncomingTunnelStream, TunnelConnection, TunnelTransport } from '@sallyport/core'
import { createManualClock, type ManualClock } from '@sallyport/test-fixtures'
import type { StreamOpening } from '../src/messages.ts'
import { createMemoryTransport } from '../src/transports/memory.ts'
import { createTunnelClient, type TunnelClient, type TunnelClientOptions } from '../src/tunnel-client.ts'
import type { TunnelClientState } from '../src/tunnel-state.ts'
import { createTunnelServer, type TunnelServer, type TunnelServerOptions } from '../src/tunnel-server.ts'

/** A server and clients that dial it in memory, with a clock that the test moves. */
export interface TunnelWorld {
  readonly clock: ManualClock
  readonly transport: TunnelTransport
  readonly endpoint: URL
  /** Ends that clients have dialled, in order: what a test cuts to take a connection away. */
  readonly dialled: TunnelConnection[]
  readonly audit: AuditEntry[] & { failing: boolean }
  readonly events: ConnectivityEvent[]
  server(options?: Partial<TunnelServerOptions>): Promise<TunnelServer>
  client(options?: Partial<TunnelClientOptions> & { readonly locationId?: string; readonly connectorId?: string }): WorldClient
}

interface WorldClient extends TunnelClient {
  readonly states: readonly TunnelClientState[]
  readonly streams: readonly { readonly incoming: IncomingTunnelStream; readonly opening: StreamOpening }[]
}

export function createTunnelWorld(clock: ManualClock = createManualClock()): TunnelWorld {
  const memory = createMemoryTransport({ clock })
  const endpoint = new URL('memory://server')
  const dialled: TunnelConnection[] = []
  const audit = Object.assign([] as AuditEntry[], { failing: false })
  const events: ConnectivityEvent[] = []
  const sink: AuditSink = {
    get failing() {
      return audit.failing
    },
    write: (entry) => void audit.push(entry),
    flushed: async () => {},
  }
  const transport: TunnelTransport = {
    ...memory,
    async connect(target, options) {
      const connection = await memory.connect(target, options)
      dialled.push(connection)
      return connection
    },
  }
  return {
    clock,
    transport,
    endpoint,
    dialled,
    audit,
    events,
    async server(options = {}) {
      const server = createTunnelServer({
        transport,
        endpoint,
        authorize: async () => ({ allowed: true, subaccount: 'demo' }),
        trust: async () => [],
        clock,
        audit: sink,
        events: { wanted: true, emit: (event) => void events.push(event) },
        ...options,
      })
      await server.listen()
      return server
    },
    client({ locationId = '', connectorId = 'one', ...options } = {}) {
      const states: TunnelClientState[] = []
      const streams: { incoming: IncomingTunnelStream; opening: StreamOpening }[] = []
      const client = createTunnelClient({
        transport,
        endpoint,
        hello: { locationId, connectorId, agentVersion: '1.0', description: 'a test' },
        onStream: (incoming, opening) => void streams.push({ incoming, opening }),
        clock,
        random: () => 0.5,
        onState: (state) => void states.push(state),
        ...options,
      })
      return Object.defineProperties({ states, streams } as unknown as WorldClient, Object.getOwnPropertyDescriptors(client))
    },
  }
}

export const quiet = { onData: () => true, onEnd() {}, onDrain() {}, onClose() {} }

/** Far enough for any signal that only has to be there. */
export function anyTime(): AbortSignal {
  return AbortSignal.timeout(10_000)
}
