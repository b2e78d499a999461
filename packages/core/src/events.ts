/**
 * Facts about requests, tunnels and connectors, emitted once where they become true. Logs, metrics, the hop view and
 * the UI subscribe; nothing decides by them. None carries a token, a header value or a body.
 */
export type ConnectivityEvent =
  | (At &
      Target & {
        readonly type: 'proxy-accepted'
        readonly protocol: 'http' | 'socks5'
        readonly client: string
        readonly durationMs: number
      })
  | (At &
      Partial<Target> & {
        readonly type: 'proxy-refused'
        readonly protocol: 'http' | 'socks5'
        readonly status: number
        readonly code: string
        readonly message: string
      })
  | (At & Target & { readonly type: 'stream-opened'; readonly tunnelId: string; readonly streamId: number; readonly durationMs: number })
  | (At &
      Target & {
        readonly type: 'access-decided'
        readonly allowed: boolean
        readonly path: string | undefined
        readonly internalAddress: string | undefined
        readonly resource: string | undefined
        readonly exactMatchOnly: boolean | undefined
        readonly reason: string
        readonly admitted: readonly string[]
      })
  | (At &
      Target & {
        readonly type: 'principal-issued'
        readonly subject: string
        readonly issuer: string
        readonly validitySeconds: number
        readonly cached: boolean
        readonly durationMs: number
      })
  | (At & Target & { readonly type: 'principal-refused'; readonly code: string; readonly message: string })
  | (At & Target & { readonly type: 'backend-answered'; readonly status: number | undefined; readonly durationMs: number })
  | (At & Target & { readonly type: 'backend-failed'; readonly code: string; readonly message: string; readonly durationMs: number })
  | (At &
      Target & {
        readonly type: 'request-finished'
        readonly bytesToBackend: number
        readonly bytesToClient: number
        readonly durationMs: number
      })
  | {
      readonly type: 'tunnel-connected'
      readonly atMs: number
      readonly subaccount: string
      readonly locationId: string
      readonly tunnelId: string
      readonly connectorId: string
    }
  | {
      readonly type: 'tunnel-disconnected'
      readonly atMs: number
      readonly subaccount: string
      readonly locationId: string
      readonly tunnelId: string
      readonly reason: string
    }
  | {
      readonly type: 'configuration-read'
      readonly atMs: number
      /** Name of the file that has changed. */
      readonly source: string
      /** Why it was not taken over, one problem per line; `undefined` when it was. */
      readonly problem: string | undefined
    }

interface At {
  readonly atMs: number
  readonly correlationId: string
}

interface Target {
  readonly subaccount: string
  readonly locationId: string
  readonly virtualHost: string
  readonly virtualPort: number
}

/** Where facts go. `wanted` lets the data path skip building an event that nobody reads. */
export interface EventSink {
  readonly wanted: boolean
  emit(event: ConnectivityEvent): void
}

/** Nobody listens. */
export const noEvents: EventSink = { wanted: false, emit: () => {} }
