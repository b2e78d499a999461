import type { X509Certificate } from 'node:crypto'
import {
  type Clock,
  ConnectivityError,
  type IncomingTunnelStream,
  type Logger,
  maxStreamMessageBytes,
  type TunnelConnection,
  type TunnelStream,
  type TunnelStreamHandlers,
} from '@sallyport/core'
import type { HeldStream } from './held-stream.ts'
import type { TunnelServerLimits } from './limits.ts'
import {
  channelMessageVersion,
  type ChannelOpening,
  type ControlFromConnector,
  type ControlOpening,
  type ExposedSystem,
  formatMessage,
  type TrustedIssuer,
} from './messages.ts'
import { tryParseChannelOpening, tryParseControlFromConnector } from './parse-messages.ts'
import { trustMessages } from './split-message.ts'
import { formatTunnelId } from './tunnel-id.ts'

/** A tunnel as whoever sends requests through it sees it. */
export interface Tunnel {
  /** `account:///<subaccount>/<locationId>` */
  readonly tunnelId: string
  readonly subaccount: string
  readonly locationId: string
  readonly connectorId: string
  readonly roundTripMs: number | undefined
  /** @throws ConnectivityError `TUNNEL_LOST` when the tunnel closes at this moment. */
  openStream(opening: Buffer, handlers: TunnelStreamHandlers): TunnelStream
}

/** A connected connector as administrators see it. */
export interface TunnelStatus {
  readonly tunnelId: string
  readonly subaccount: string
  readonly locationId: string
  readonly connectorId: string
  readonly agentVersion: string
  readonly description: string
  readonly connectedSinceMs: number
  /** Streams of applications. */
  readonly openStreams: number
  readonly roundTripMs: number | undefined
  /** What the connector says it exposes; `undefined` until it has said so. */
  readonly exposed: { readonly digest: string; readonly systems: readonly ExposedSystem[] } | undefined
}

/** Takes a stream that a connector has opened towards a service: accept it within the turn, or refuse it. `from` is who has been admitted, whatever the opening says. */
export type ServeChannel = (
  incoming: IncomingTunnelStream,
  opening: ChannelOpening,
  from: Pick<Tunnel, 'tunnelId' | 'subaccount' | 'locationId' | 'connectorId'>,
) => void

/** Asks the authority of the subaccount for a new certificate. A `ConnectivityError` is told to the connector, anything else is not. */
export type RenewConnectorCertificate = (renewal: {
  readonly subaccount: string
  readonly connectorId: string
  readonly peerCertificate: X509Certificate | undefined
  /** PEM certification request, not checked yet. */
  readonly request: string
}) => Promise<{ readonly certificate: string; readonly authorities: string }>

/** The server's end of a tunnel whose connector has been admitted. */
export interface ServedConnector extends Tunnel {
  readonly connection: TunnelConnection
  status(): TunnelStatus
  tellTrustChanged(): void
  /** Says why, opens nothing more, lets streams finish for so long. Settles when the connection is closed. */
  retire(farewell: 'drain' | 'replaced', graceMs: number): Promise<void>
}

/** Welcomes an admitted connector and answers its requests until the connection ends. */
export function serveConnector(options: {
  readonly connection: TunnelConnection
  readonly opening: ControlOpening
  readonly control: HeldStream
  readonly version: number
  readonly subaccount: string
  readonly trust: (subaccount: string) => Promise<readonly TrustedIssuer[]>
  readonly renewCertificate: RenewConnectorCertificate | undefined
  readonly onChannel: ServeChannel | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly limits: TunnelServerLimits
  /** The connector opens nothing more: no new work for it. */
  readonly onLeaving: () => void
}): ServedConnector {
  const { connection, opening, subaccount, clock, limits } = options
  const { locationId, connectorId, agentVersion, description } = opening
  const tunnelId = formatTunnelId(subaccount, locationId)
  const log = options.log.child({ subaccount, locationId, tunnelId })
  const connectedSinceMs = clock.now()
  const control = options.control.stream
  let exposed: TunnelStatus['exposed']
  let arriving: ExposedSystem[] = []
  let pendingRequests = 0
  let isLeaving = false

  const violation = (message: string): void => {
    connection.abort(
      new ConnectivityError('PROTOCOL_VIOLATION', `connector ${connectorId} broke the protocol on the control stream: ${message}`),
    )
  }
  const send = (message: Buffer): void => {
    if (!isLeaving) control.sendMessage(message)
  }

  const answer = async (request: Exclude<ControlFromConnector, { readonly kind: 'exposed' }>): Promise<readonly Buffer[]> => {
    if (request.kind === 'get-trust') return trustMessages(await options.trust(subaccount))
    const refused = (message: string): readonly Buffer[] => [formatMessage({ kind: 'certificate-refused', message })]
    if (options.renewCertificate === undefined) return refused('this server renews no certificates')
    try {
      const { peerCertificate } = connection
      const issued = await options.renewCertificate({ subaccount, connectorId, peerCertificate, request: request.request })
      const message = formatMessage({ kind: 'certificate', certificate: issued.certificate, authorities: issued.authorities })
      return message.length <= maxStreamMessageBytes ? [message] : refused('the certificate and its authorities do not fit into a message')
    } catch (error) {
      log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'connector certificate not renewed')
      return refused(ConnectivityError.is(error) ? error.message : 'the certificate could not be issued')
    }
  }

  /** Answers leave in the order of the requests, because nothing else says which belongs to which. */
  let answered: Promise<void> = Promise.resolve()
  const onRequest = (request: Exclude<ControlFromConnector, { readonly kind: 'exposed' }>): void => {
    if (pendingRequests >= limits.maxPendingRequests) return violation('too many requests at once')
    pendingRequests++
    const work = answer(request)
    answered = answered
      .then(() => work)
      .then((messages) => messages.forEach(send))
      .catch((error: unknown) => {
        // Without its issuers the connector would refuse every user; better that it dials again.
        log.error({ reason: error instanceof Error ? error.message : String(error) }, 'control request of a connector not answered')
        connection.abort(new ConnectivityError('SERVICE_UNAVAILABLE', `${request.kind} could not be answered`))
      })
      .finally(() => pendingRequests--)
    // The chain above reports the failure; this only keeps it from counting as unhandled before its turn.
    work.catch(() => {})
  }

  const onExposed = (message: Extract<ControlFromConnector, { readonly kind: 'exposed' }>): void => {
    arriving.push(...message.systems)
    if (arriving.length > limits.maxExposedSystems) return violation('too many exposed systems')
    if (message.more === true) return
    exposed = { digest: message.digest, systems: arriving }
    arriving = []
  }

  const leave = (): void => {
    if (isLeaving) return
    isLeaving = true
    control.end()
    void connection.close()
    options.onLeaving()
  }

  options.control.take({
    onData() {
      violation('bytes')
      return true
    },
    onMessage(bytes) {
      const message = tryParseControlFromConnector(bytes)
      if (message === undefined) violation('unknown message')
      else if (message.kind === 'exposed') onExposed(message)
      else onRequest(message)
    },
    onEnd: leave,
    onDrain() {},
    onClose(reason) {
      if (reason.kind === 'reset') violation('reset')
    },
  })
  const { onChannel } = options
  // Before the welcome, which is what lets the connector open streams.
  if (onChannel !== undefined && options.version >= channelMessageVersion) {
    connection.onStream = (incoming) => {
      const channel = tryParseChannelOpening(incoming.opening)
      if (channel === undefined) incoming.refuse()
      else onChannel(incoming, channel, { tunnelId, subaccount, locationId, connectorId })
    }
  }
  send(formatMessage({ kind: 'welcome', version: options.version, subaccount, tunnelId }))

  return {
    connection,
    tunnelId,
    subaccount,
    locationId,
    connectorId,
    get roundTripMs() {
      return connection.roundTripMs
    },
    openStream: (bytes, handlers) => connection.openStream(bytes, handlers),
    status: () => ({
      tunnelId,
      subaccount,
      locationId,
      connectorId,
      agentVersion,
      description,
      connectedSinceMs,
      exposed,
      // Without the control stream.
      openStreams: Math.max(0, connection.openStreams - 1),
      roundTripMs: connection.roundTripMs,
    }),
    tellTrustChanged: () => send(formatMessage({ kind: 'trust-changed' })),
    async retire(farewell, graceMs) {
      send(formatMessage({ kind: farewell }))
      leave()
      const cancel = clock.after(graceMs, () =>
        connection.abort(
          new ConnectivityError('TUNNEL_LOST', `streams of ${tunnelId} were still open ${graceMs} ms after its end was announced`),
        ),
      )
      await connection.closed
      cancel()
    },
  }
}
