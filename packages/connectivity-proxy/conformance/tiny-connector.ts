import { connect, type Socket } from 'node:net'
import type { IncomingTunnelStream, TunnelStream } from '@sallyport/core'
import { formatMessage, type PrincipalMessage, relay, type StreamOpening } from '@sallyport/tunnel'

/** What a test wants of a stream before anything is dialled; `true`: the test has taken it. */
export type Intercept = (stream: IncomingTunnelStream, opening: StreamOpening) => boolean

/**
 * As much of a connector as the entry points need to be tried: it takes streams, dials what its mappings say and joins the two. It looks into no head.
 */
export interface TinyConnector {
  readonly openings: readonly StreamOpening[]
  readonly messages: readonly PrincipalMessage[]
  /** Streams joined to a backend at the moment. */
  readonly streams: ReadonlySet<TunnelStream>
  /** Virtual `host:port` to a local port, or to a refusal. */
  readonly mappings: Map<string, number | 'unreachable'>
  intercept: Intercept | undefined
  take(stream: IncomingTunnelStream, opening: StreamOpening): void
}

export function createTinyConnector(mappings: Readonly<Record<string, number | 'unreachable'>> = {}): TinyConnector {
  const openings: StreamOpening[] = []
  const messages: PrincipalMessage[] = []
  const streams = new Set<TunnelStream>()
  const connector: TinyConnector = {
    openings,
    messages,
    streams,
    mappings: new Map(Object.entries(mappings)),
    intercept: undefined,
    take(stream, opening) {
      openings.push(opening)
      if (connector.intercept?.(stream, opening) === true) return
      const target = connector.mappings.get(`${opening.virtualHost}:${opening.virtualPort}`)
      if (opening.kind === 'http') serveHttp(stream, target, `${opening.virtualHost}:${opening.virtualPort}`)
      else serveTcp(stream, target)
    },
  }

  function serveHttp(stream: IncomingTunnelStream, target: number | 'unreachable' | undefined, system: string): void {
    if (typeof target === 'number') return join(stream, connect(target, '127.0.0.1'), () => {})
    const [status, text] =
      target === undefined ? ['403 Forbidden', `Access denied to system ${system}`] : ['502 Bad Gateway', `${system} refused`]
    const taken = stream.accept(silent)
    taken.write(Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`))
    taken.end()
  }

  function serveTcp(stream: IncomingTunnelStream, target: number | 'unreachable' | undefined): void {
    const refuse = (code: 'ACCESS_DENIED' | 'BACKEND_UNREACHABLE'): void => {
      const taken = stream.accept(silent)
      taken.sendMessage(formatMessage({ kind: 'refused', code, message: 'refused by the test' }))
      taken.end()
    }
    if (target === undefined) return refuse('ACCESS_DENIED')
    if (target === 'unreachable') return refuse('BACKEND_UNREACHABLE')
    const backend = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
    join(stream, backend, (joined) => backend.once('connect', () => joined.sendMessage(formatMessage({ kind: 'connected' }))))
  }

  function join(stream: IncomingTunnelStream, backend: Socket, onJoined: (joined: TunnelStream) => void): void {
    backend.setNoDelay(true)
    backend.allowHalfOpen = true
    const joined = relay(backend, (handlers) => stream.accept(handlers), {
      onMessage: (message) => messages.push(JSON.parse(message.toString('utf8')) as PrincipalMessage),
      onClose: () => streams.delete(joined),
    })
    streams.add(joined)
    onJoined(joined)
  }
  return connector
}

/** For streams that only say something and end. */
const silent = { onData: () => true, onEnd: () => {}, onDrain: () => {}, onClose: () => {} }
