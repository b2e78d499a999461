import {
  abortedError,
  type Clock,
  type CloseReason,
  ConnectivityError,
  type IncomingTunnelStream,
  type TunnelConnection,
  type TunnelStream,
  type TunnelTransport,
} from '@sallyport/core'
import type { TunnelClientLimits } from './limits.ts'
import {
  type ControlFromServer,
  type ControlOpening,
  type ControlRefusalCode,
  type ExposedSystem,
  formatMessage,
  messageVersion,
  oldestMessageVersion,
  type StreamOpening,
  type TrustedIssuer,
} from './messages.ts'
import { tryParseControlFromServer, tryParseStreamOpening } from './parse-messages.ts'
import { createPendingAnswers } from './pending-answers.ts'
import { exposedMessages, mergeIssuers } from './split-message.ts'

/** One connection of a connector to a server that has welcomed it. */
export interface ControlSession {
  readonly subaccount: string
  readonly tunnelId: string
  /** Of the messages, as the server has chosen it. */
  readonly version: number
  readonly connection: TunnelConnection
  getTrust(signal?: AbortSignal): Promise<readonly TrustedIssuer[]>
  renewCertificate(request: string, signal?: AbortSignal): Promise<RenewedCertificate>
  expose(digest: string, systems: readonly ExposedSystem[]): void
  /** Opens and accepts nothing more; settles when the streams that are open have finished. */
  close(): Promise<void>
}

/** A certificate that the server has issued, and the authorities that signed it, as PEM. */
export interface RenewedCertificate {
  readonly certificate: string
  readonly authorities: string
}

/** What a session says to the client that holds it. */
export interface ControlSessionHandlers {
  onStream(incoming: IncomingTunnelStream, opening: StreamOpening): void
  onTrustChanged(): void
  /** The server stops taking part: a successor is wanted, what is open may finish. */
  onDrain(): void
  onReplaced(): void
  onClosed(reason: CloseReason): void
}

/** What one attempt to get a session needs. */
export interface DialControlOptions {
  readonly transport: TunnelTransport
  readonly endpoint: URL
  readonly hello: Omit<ControlOpening, 'kind' | 'versions'>
  readonly clock: Clock
  readonly limits: TunnelClientLimits
  readonly signal: AbortSignal
  /** Called as soon as the server has welcomed us, before any stream of it can arrive. */
  readonly onWelcome: (session: ControlSession) => ControlSessionHandlers
}

/** What became of an attempt that reached a server. */
export type Dialled =
  | { readonly kind: 'welcome' }
  | { readonly kind: 'refused'; readonly code: ControlRefusalCode; readonly message: string }

const versions = Array.from({ length: messageVersion - oldestMessageVersion + 1 }, (_, index) => messageVersion - index)

/** Connects, introduces the connector and waits for the server's word. @throws ConnectivityError when there is no word. */
export async function dialControl(options: DialControlOptions): Promise<Dialled> {
  const { signal } = options
  const connection = await options.transport.connect(options.endpoint, { signal })
  if (signal.aborted) {
    const error = abortedError(signal, `connecting to ${options.endpoint.host}`)
    connection.abort(error)
    throw error
  }
  return await new Promise<Dialled>((resolve, reject) => {
    const onAbort = (): void => giveUp(abortedError(signal, `waiting for the welcome of ${options.endpoint.host}`))
    const giveUp = (error: Error): void => {
      connection.abort(error)
      settle(() => reject(error))
    }
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort)
      act()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    openControl(connection, options, {
      onVerdict: (verdict) => settle(() => resolve(verdict)),
      onFailure: (error) => settle(() => reject(error)),
    })
  })
}

interface Verdicts {
  onVerdict(verdict: Dialled): void
  onFailure(error: Error): void
}

function openControl(connection: TunnelConnection, options: DialControlOptions, verdicts: Verdicts): void {
  const { clock, limits, hello } = options
  let handlers: ControlSessionHandlers | undefined
  let issuers: TrustedIssuer[] = []
  const pending = { clock, timeoutMs: limits.requestMs, max: limits.maxPendingRequests }
  const trust = createPendingAnswers<readonly TrustedIssuer[]>({ ...pending, what: 'asking for the trusted issuers' })
  const certificates = createPendingAnswers<RenewedCertificate>({ ...pending, what: 'renewing the certificate' })

  const violation = (message: string): void => {
    connection.abort(new ConnectivityError('PROTOCOL_VIOLATION', `the server broke the protocol on the control stream: ${message}`))
  }
  const control: TunnelStream = connection.openStream(formatMessage({ kind: 'control', versions, ...hello }), {
    onData() {
      violation('bytes')
      return true
    },
    onMessage(bytes) {
      const message = tryParseControlFromServer(bytes)
      if (message === undefined) violation('unknown message')
      else if (handlers === undefined) onFirst(message)
      else onMessage(message, handlers)
    },
    // The server lets the connection end; what is open may finish.
    onEnd: () => void leave(),
    onDrain() {},
    onClose(reason) {
      if (reason.kind === 'reset') violation('reset')
    },
  })

  let isLeaving = false
  const leave = async (): Promise<void> => {
    isLeaving = true
    control.end()
    await connection.close()
  }
  const send = (message: Buffer): void => {
    if (isLeaving) throw new ConnectivityError('TUNNEL_LOST', 'the tunnel connection is closing')
    control.sendMessage(message)
  }

  const onFirst = (message: ControlFromServer): void => {
    if (message.kind === 'refused') {
      verdicts.onVerdict(message)
      // The server closes; if it does not, our own limit does.
      void leave()
      clock.after(limits.connectMs, () => connection.abort(new ConnectivityError('ABORTED', 'the server refused the tunnel')))
    } else if (message.kind !== 'welcome' || !versions.includes(message.version)) violation(`${message.kind} instead of a welcome`)
    else {
      const { subaccount, tunnelId, version } = message
      const welcomed = options.onWelcome({
        subaccount,
        tunnelId,
        version,
        connection,
        getTrust: (signal) => trust.ask(() => send(formatMessage({ kind: 'get-trust' })), signal),
        renewCertificate: (request, signal) => certificates.ask(() => send(formatMessage({ kind: 'renew-certificate', request })), signal),
        expose(digest, systems) {
          if (!isLeaving) for (const part of exposedMessages(digest, systems)) send(part)
        },
        close: leave,
      })
      handlers = welcomed
      connection.onStream = (incoming) => {
        const opening = tryParseStreamOpening(incoming.opening)
        // Another subaccount or location than the one we serve is a fault of the server; it must not reach a backend.
        if (opening === undefined || opening.subaccount !== subaccount || opening.locationId !== hello.locationId) incoming.refuse()
        else welcomed.onStream(incoming, opening)
      }
      verdicts.onVerdict({ kind: 'welcome' })
    }
  }

  const onMessage = (message: ControlFromServer, to: ControlSessionHandlers): void => {
    switch (message.kind) {
      case 'drain':
        return to.onDrain()
      case 'replaced':
        return to.onReplaced()
      case 'trust-changed':
        return to.onTrustChanged()
      case 'trust':
        return onTrust(message)
      case 'certificate':
        if (!certificates.answer({ certificate: message.certificate, authorities: message.authorities }))
          violation('a certificate that nobody asked for')
        return
      case 'certificate-refused':
        if (!certificates.refuse(new ConnectivityError('PAIRING_REFUSED', `the server does not renew the certificate: ${message.message}`)))
          violation('a refusal that nobody asked for')
        return
      default:
        return violation(`unexpected ${message.kind}`)
    }
  }

  const onTrust = (message: Extract<ControlFromServer, { readonly kind: 'trust' }>): void => {
    issuers.push(...message.issuers)
    const keys = issuers.reduce((sum, issuer) => sum + issuer.keys.length, 0)
    if (issuers.length > limits.maxTrustEntries || keys > limits.maxTrustEntries) return violation('too many issuers or keys')
    if (message.more === true) return
    const complete = mergeIssuers(issuers)
    issuers = []
    if (!trust.answer(complete)) violation('issuers that nobody asked for')
  }

  void connection.closed.then((reason) => {
    const error = reason.kind === 'lost' ? reason.error : new ConnectivityError('TUNNEL_LOST', 'the tunnel connection is closed')
    trust.failAll(error)
    certificates.failAll(error)
    if (handlers === undefined) verdicts.onFailure(error)
    else handlers.onClosed(reason)
  })
}
