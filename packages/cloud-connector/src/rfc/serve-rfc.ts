import type { Socket } from 'node:net'
import { ConnectivityError, type StreamCloseReason } from '@sallyport/core'
import type { RouteHop } from '@sallyport/rfc-wire'
import { discard, type HeldStream } from '@sallyport/tunnel'
import type { VirtualAddress } from '../access-control/access-decision.ts'
import { systemText } from '../http/refusals.ts'
import type { ConnectorState } from '../connector-state.ts'
import type { LinkContext } from '../link-context.ts'
import { splitDuration } from '../monitoring/request-record.ts'
import { openGateway, type OpenGateway } from './open-gateway.ts'
import type { LinkTraces } from '../trace/connector-traces.ts'
import { traceConversation, tracePayloads } from '../trace/trace-conversation.ts'
import { createRfcAccess, type MappedRfc, type RfcAccess } from './rfc-access.ts'
import { createRfcConversation } from './rfc-conversation.ts'
import { joinRfc, type RfcRelay } from './rfc-relay.ts'
import { createSncConversation } from './snc-conversation.ts'
import type { RelayedConversation } from './verdict.ts'

/** One connection to a mapping of protocol RFC or RFCS. */
export interface ServedRfc {
  /** Looks whether somebody has waited too long. */
  check(elapsedMs: number): void
  /** Whoever waits has gone away. */
  cancel(): void
}

/** What serving needs, and whom it tells. */
export interface ServeRfcOptions {
  readonly context: LinkContext
  readonly address: VirtualAddress
  readonly correlationId: string
  readonly mapping: MappedRfc
  readonly take: HeldStream['take']
  readonly timeoutMs: number
  /** Of the state that has found the mapping. */
  readonly routes: ConnectorState['routes']
  readonly onConnected: () => void
  readonly onFailed: (error: ConnectivityError) => void
  readonly onClose: (reason: StreamCloseReason) => void
}

/** Connects to the backend of a mapping, and then relays a conversation message by message, each decided before it passes: protocols.md 12. */
export function serveRfc(options: ServeRfcOptions): ServedRfc {
  const { address, context, correlationId, mapping } = options
  const cancelled = new AbortController()
  const access = createRfcAccess(context, { address, correlationId, connected: mapping })
  const askedMs = context.clock.now()
  let relay: RfcRelay | undefined

  const join = ({ socket, target }: OpenGateway): void => {
    if (cancelled.signal.aborted) return discard(socket)
    const decided: RelayedConversation =
      mapping.protocol === 'RFCS'
        ? createSncConversation(access)
        : createRfcConversation({
            target,
            strictInitialize: mapping.rfc.strictInitialize,
            allowCallbacks: access.allowCallbacks,
            ...measured(access, context, mapping, { socket, openMs: context.clock.now() - askedMs }),
          })
    const conversation = traced(decided, context.traces(), mapping.protocol === 'RFCS', correlationId)
    options.onConnected()
    relay = joinRfc({
      socket,
      take: options.take,
      conversation,
      clock: context.clock,
      idleTimeoutMs: mapping.rfc.idleTimeoutMs,
      violation: access.violation,
      onBroken(reason) {
        const { locationId, subaccount } = context
        context.log.warn(
          { subaccount, locationId, virtualHost: systemText(address), code: 'PROTOCOL_VIOLATION', reason },
          'RFC backend given up',
        )
      },
      onClose: options.onClose,
    })
  }
  const opening = {
    route: routeOf(mapping, options.routes),
    clock: context.clock,
    timeoutMs: options.timeoutMs,
    system: systemText(address),
    signal: cancelled.signal,
  }
  openGateway(mapping, opening).then(join, (error: unknown) => {
    if (cancelled.signal.aborted) return
    const known = ConnectivityError.is(error)
    if (!known) context.log.error({ subaccount: context.subaccount, error }, 'an RFC backend could not be connected to')
    options.onFailed(
      known
        ? error
        : new ConnectivityError('BACKEND_UNREACHABLE', `Unable to open connection to backend system ${systemText(address)}`, {
            cause: error,
          }),
    )
  })
  return {
    check: (elapsedMs) => relay?.check(elapsedMs),
    cancel: () => cancelled.abort(new ConnectivityError('ABORTED', 'the caller has gone away')),
  }
}

/** SNC cannot be read, so that its trace is of contents alone. */
function traced(conversation: RelayedConversation, traces: LinkTraces, isSnc: boolean, correlationId: string): RelayedConversation {
  const { cpic, snc } = traces
  let result = conversation
  if (cpic !== undefined) result = traceConversation(result, cpic.level, (text) => cpic.write(correlationId, text))
  return isSnc && snc !== undefined ? tracePayloads(result, snc(correlationId)) : result
}

/** The SAProuters of a mapping. Its file has been read with the configuration: without it nothing is reached, least of all without a SAProuter. */
function routeOf({ rfc: { route }, virtualText }: MappedRfc, routes: ConnectorState['routes']): readonly RouteHop[] {
  if (!('file' in route)) return route
  const hops = routes.get(route.file)
  if (hops === undefined) throw new TypeError(`the SAProuters of ${virtualText} have not been read`)
  return hops
}

/** The decisions, and how long the backend takes over what they let pass. */
function measured(
  access: RfcAccess,
  context: LinkContext,
  mapping: MappedRfc,
  opened: { readonly socket: Socket; readonly openMs: number },
): Pick<Parameters<typeof createRfcConversation>[0], 'logon' | 'call' | 'violation' | 'replied'> {
  const { clock } = context
  const { socket } = opened
  let { openMs } = opened
  let startMs = clock.now()
  // What is sent for a call is written before its reply comes; keep-alive counts among the bytes.
  let written = 0
  let read = 0
  return {
    violation: access.violation,
    logon(logon) {
      startMs = clock.now()
      return access.logon(logon)
    },
    call(functionName) {
      startMs = clock.now()
      return access.call(functionName)
    },
    replied() {
      const nowMs = clock.now()
      const { by, functionName, user } = access.admitted
      const bytesReceived = socket.bytesWritten - written
      const bytesSent = socket.bytesRead - read
      written = socket.bytesWritten
      read = socket.bytesRead
      const monitor = context.monitor.of(mapping)
      monitor.usage.add(nowMs, 1, bytesReceived, bytesSent, by)
      const externalMs = nowMs - startMs
      const times = splitDuration({ totalMs: openMs + externalMs, openMs, externalMs, generateMs: 0, validateMs: 0, latencyMs: 0 })
      openMs = 0
      monitor.record(
        {
          atMs: startMs,
          protocol: mapping.protocol,
          virtual: mapping.virtualText,
          internal: mapping.internalText,
          resource: functionName,
          user,
          bytesReceived,
          bytesSent,
          status: undefined,
          reason: '',
          times,
        },
        true,
      )
    },
  }
}
