import { randomUUID } from 'node:crypto'
import {
  abortedError,
  ConnectivityError,
  type Dial,
  formatAddress,
  type StreamCloseReason,
  type TunnelConnection,
  withDeadline,
} from '@sallyport/core'
import { formatMessage, holdStream, type TcpOpening, toDuplex } from '@sallyport/tunnel'
import { refusePrincipal } from './dial-errors.ts'
import { negotiationTimeoutMs } from './limits.ts'
import { readTcpAnswer } from './tcp-answer.ts'
import { wireHost } from './wire-host.ts'

/** Which tunnel, and on whose behalf. */
export interface TunnelDialOptions {
  /** The connection of the connector with this location ID right now, e.g. `find` of a tunnel server; `undefined` when none is connected. */
  readonly connection: (locationId: string) => Pick<TunnelConnection, 'openStream'> | undefined
  /** On whose behalf the connector decides. */
  readonly subaccount: string
  /** Names an attempt in the logs of both sides; the default is a random UUID. */
  readonly correlationId?: () => string
  /** Limit of one attempt, the connection to the backend included, when the caller's signal allows more; the default is 30 seconds. */
  readonly timeoutMs?: number
}

/**
 * Dials over a tunnel without a proxy between: opens a stream of kind `tcp` and waits for the connector's answer. The
 * connector decides by its system mappings of type TCP. A stream whose tunnel breaks is destroyed with `TUNNEL_LOST`.
 */
export function createTunnelDial({
  connection: find,
  subaccount,
  correlationId = randomUUID,
  timeoutMs = negotiationTimeoutMs,
}: TunnelDialOptions): Dial {
  return async (address, options) => {
    const attempt = `connect to ${formatAddress(address)} through the tunnel`
    refusePrincipal(options, attempt, 'a TCP stream of the tunnel')
    const signal = withDeadline(timeoutMs, options.signal)
    if (signal.aborted) throw abortedError(signal, attempt)
    const connection = find(options.locationId)
    if (connection === undefined) {
      throw new ConnectivityError('CONNECTOR_NOT_CONNECTED', `${attempt}: no cloud connector is connected for this location ID`, {
        details: { locationId: options.locationId },
      })
    }
    const opening: TcpOpening = {
      kind: 'tcp',
      subaccount,
      locationId: options.locationId,
      virtualHost: wireHost(address).toLowerCase(),
      virtualPort: address.port,
      correlationId: correlationId(),
      timeoutMs,
    }
    const held = await openAnswered(connection, formatMessage(opening), signal, attempt)
    const duplex = toDuplex(held.take)
    // A tunnel that breaks before the owner listens must not end the process; the owner finds the stream destroyed.
    duplex.on('error', () => {})
    return duplex
  }
}

type HeldStream = ReturnType<typeof holdStream>

/** Opens the stream and waits until the connector has reached the backend. Bytes of the backend are held meanwhile. */
function openAnswered(
  connection: Pick<TunnelConnection, 'openStream'>,
  opening: Buffer,
  signal: AbortSignal,
  attempt: string,
): Promise<HeldStream> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => fail(abortedError(signal, attempt))
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', onAbort)
      reject(error)
      // Last: it calls `onClose`, which has less to say.
      held.stream.reset('cancelled')
    }
    const held = holdStream((handlers) => connection.openStream(opening, handlers), {
      onMessage(message) {
        const refusal = readTcpAnswer(message, attempt)
        if (refusal !== undefined) {
          fail(refusal)
          return
        }
        signal.removeEventListener('abort', onAbort)
        resolve(held)
      },
      onClose: (reason) => fail(closedError(reason, attempt)),
    })
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

function closedError(reason: StreamCloseReason, attempt: string): ConnectivityError {
  return reason.kind === 'lost'
    ? new ConnectivityError('TUNNEL_LOST', `${attempt}: the tunnel broke`)
    : new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the cloud connector closed the stream without an answer`)
}
