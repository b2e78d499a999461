import { connect } from 'node:net'
import { type Address, type AuditSink, type Clock, formatAddress, type IncomingTunnelStream, type Logger } from '@sallyport/core'
import {
  awaitSocket,
  type ChannelOpening,
  createSharedReading,
  formatMessage,
  holdStream,
  relay,
  type ServeChannel,
  type TcpAnswer,
} from '@sallyport/tunnel'
import { createRefusalAudit } from '../refusal-audit.ts'
import { refusedChannelLingerMs, serviceConnectTimeoutMs, serviceKeepAliveMs } from '../limits.ts'
import type { ServiceMappings, ServiceRequest } from './service-mapping.ts'

/** Serves the streams that connectors open: service channels, from on-premise clients to services beside us. */
export interface ChannelHost {
  readonly serve: ServeChannel
  /** Streams that are open, refused ones included until the connector has closed them. */
  readonly openStreams: number
  /** New streams are decided by these; open ones that they do not allow, or lead elsewhere, are reset. */
  replaceMappings(mappings: ServiceMappings): void
  /** Writes the counts of repeated refusals. */
  flushRefusals(): void
}

type Connector = Parameters<ServeChannel>[2]

/**
 * Every stream is decided by itself. Refusals are audited, repeated ones as a count; what is allowed is not, and its bytes are looked at by nobody.
 * While the audit log cannot be written, everything is refused.
 */
export function createChannelHost(options: {
  readonly mappings: ServiceMappings
  /** Of one connector at a time. */
  readonly maxStreams: number
  readonly audit: AuditSink
  readonly clock: Clock
  readonly log: Logger
}): ChannelHost {
  const { audit, clock, log, maxStreams } = options
  let { mappings } = options
  const refusals = createRefusalAudit({ audit, clock, log })
  /** Open streams by tunnel. */
  const open = new Map<string, number>()
  /** What streams were admitted as. */
  const admitted = new Map<ChannelStream, { readonly request: ServiceRequest; readonly address: Address }>()
  let openStreams = 0

  const count = (tunnelId: string, by: 1 | -1): void => {
    openStreams += by
    const left = (open.get(tunnelId) ?? 0) + by
    if (left === 0) open.delete(tunnelId)
    else open.set(tunnelId, left)
  }

  const auditRefusal = (from: Connector, opening: ChannelOpening, reason: string): void => {
    const { connectorId, locationId, subaccount } = from
    const message = `service channel of location "${locationId}" refused: ${reason}`
    log.debug({ subaccount, locationId, code: 'ACCESS_DENIED', reason }, 'service channel refused')
    refusals.write({ type: 'access-denied', subaccount, user: connectorId, message, correlationId: opening.correlationId }, message)
  }

  return {
    get openStreams() {
      return openStreams
    },
    replaceMappings(next) {
      mappings = next
      for (const [stream, { address, request }] of admitted) {
        const decision = next.decide(request)
        if (!decision.allowed || formatAddress(decision.address) !== formatAddress(address)) stream.abort()
      }
    },
    flushRefusals: () => refusals.flush(),
    serve(incoming, opening, from) {
      const { locationId, subaccount, tunnelId } = from
      if ((open.get(tunnelId) ?? 0) >= maxStreams) {
        auditRefusal(from, opening, `${maxStreams} connections are open already`)
        return incoming.refuse()
      }
      count(tunnelId, 1)
      const stream = openChannelStream(incoming, clock, () => {
        count(tunnelId, -1)
        admitted.delete(stream)
      })
      if (audit.failing) return stream.refuse('ACCESS_DENIED', 'the audit log of the cloud side cannot be written')
      const { cluster, serviceId, serviceType } = opening
      const request: ServiceRequest = { subaccount, locationId, serviceType, serviceId, cluster }
      const decision = mappings.decide(request)
      if (!decision.allowed) {
        auditRefusal(from, opening, decision.reason)
        return stream.refuse('ACCESS_DENIED', decision.reason)
      }
      const { address, tenantId } = decision
      admitted.set(stream, { request, address })
      stream.connect(address, Math.min(serviceConnectTimeoutMs, Math.max(1, opening.timeoutMs)), (code, cause) => {
        log.warn({ subaccount, locationId, serviceId, tenantId, code, cause }, 'service of a service channel not reachable')
        const why = code === 'BACKEND_TIMEOUT' ? 'it does not answer in time' : 'the connection failed'
        return `service "${serviceId}" cannot be reached: ${why}`
      })
    },
  }
}

interface ChannelStream {
  /** Gives up both sides at once. */
  abort(): void
  refuse(code: RefusalCode, message: string): void
  /** Dials, says so, and joins both. `onFailed` gives the words for the connector; the cause, which names addresses, is not for it. */
  connect(address: Address, timeoutMs: number, onFailed: (code: RefusalCode, cause: string) => string): void
}

type RefusalCode = Extract<TcpAnswer, { readonly kind: 'refused' }>['code']

function openChannelStream(incoming: IncomingTunnelStream, clock: Clock, onClosed: () => void): ChannelStream {
  let cancel: () => void = () => {}
  const closed = (): void => {
    cancel()
    onClosed()
  }
  const held = holdStream((handlers) => incoming.accept(handlers), { onClose: closed })
  const { stream } = held
  const refuse: ChannelStream['refuse'] = (code, message) => {
    stream.sendMessage(formatMessage({ kind: 'refused', code, message }))
    stream.end()
    cancel = clock.after(refusedChannelLingerMs, () => stream.reset('refused'))
  }
  return {
    abort: () => stream.reset('cancelled'),
    refuse,
    connect({ host, port }, timeoutMs, onFailed) {
      const reading = createSharedReading()
      const socket = connect({
        host,
        port,
        noDelay: true,
        allowHalfOpen: true,
        keepAlive: true,
        keepAliveInitialDelay: serviceKeepAliveMs,
        onread: reading.onread,
      })
      cancel = awaitSocket(socket, {
        ready: 'connect',
        clock,
        timeoutMs,
        onReady() {
          stream.sendMessage(formatMessage({ kind: 'connected' }))
          relay(socket, held.take, { onClose: onClosed, reading })
        },
        onFailed(error) {
          const code = error === undefined ? 'BACKEND_TIMEOUT' : 'BACKEND_UNREACHABLE'
          refuse(code, onFailed(code, error?.code ?? 'timeout'))
        },
      })
    },
  }
}
