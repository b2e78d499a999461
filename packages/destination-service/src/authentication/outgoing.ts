import { ConnectivityError } from '@sallyport/core'
import { Client, type Dispatcher } from 'undici'
import type { PrivateAddresses } from './address-policy.ts'
import { type AddressBook, type ResolvedAddress, createAddressBook } from './address-book.ts'
import { maxTokenAnswerBytes, maxTokenAnswerHeaderBytes } from '../limits.ts'
import type { OnPremiseRoute } from './on-premise-route.ts'
import { isConnectionReset, outgoingError } from './outgoing-errors.ts'
import type { OutgoingAnswer, OutgoingRequest } from './outgoing-request.ts'
import { createTlsConnector } from './outgoing-tls.ts'

/** The one way out of this service to addresses that users choose. */
export interface Outgoing {
  /**
   * Sends and returns whatever the peer answers, without following redirects. One try more when the peer resets the connection before it answers.
   *
   * @throws ConnectivityError `ACCESS_DENIED` when the address is not allowed, `PEER_UNREACHABLE`, `PEER_UNTRUSTED`, `DEADLINE_EXCEEDED`,
   * `PROTOCOL_VIOLATION` for an answer that is too large or no HTTP, `DESTINATION_INVALID` for a client certificate or a route that cannot be used.
   * Messages may be shown to callers.
   */
  send(request: OutgoingRequest, signal: AbortSignal): Promise<OutgoingAnswer>
}

/** Which addresses may be called, and whom to trust there. */
export interface OutgoingOptions {
  /** `refuse` keeps tenants out of the network that the service runs in; `allow` is for self-hosted development. */
  readonly privateAddresses: PrivateAddresses
  /** Certificates (PEM) that are trusted beside the ones that Node trusts. */
  readonly certificateAuthorities?: readonly string[]
  /** Resolves names; the system's resolver unless told. */
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>
  /** How cloud connectors are reached; without it, on-premise calls fail. */
  readonly onPremise?: OnPremiseRoute
}

/**
 * Makes the way out. Names are resolved once, every address is checked, and what was checked is what is dialled, so that DNS cannot lead elsewhere in
 * between.
 */
export function createOutgoing(options: OutgoingOptions): Outgoing {
  const addresses = createAddressBook(options)
  const tls = createTlsConnector(options.certificateAuthorities ?? [])

  async function attempt(request: OutgoingRequest, deadline: AbortSignal): Promise<OutgoingAnswer> {
    const connecting = AbortSignal.any([deadline, AbortSignal.timeout(request.connectTimeoutMs)])
    const { client, sent, refused } =
      request.route.kind === 'on-premise'
        ? await throughConnector(request, connecting, options.onPremise)
        : await straight(request, connecting, addresses, tls)
    try {
      const answer = await client.request({ ...sent, method: request.method, body: request.body ?? null, signal: deadline })
      const body = await answer.body.text().catch((error: unknown) => {
        // Translated here already: once there is an answer, a reset is no reason to ask again.
        throw outgoingError(error, deadline)
      })
      if (answer.statusCode === 407) refused?.()
      return { status: answer.statusCode, body }
    } finally {
      // Such calls are rare; keeping connections to addresses that users choose is not worth it.
      await client.destroy()
    }
  }

  return {
    async send(request, signal) {
      // Each silence is bounded by the read timeout; this bounds a peer that says a byte now and then.
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(request.connectTimeoutMs + 2 * request.readTimeoutMs)])
      try {
        return await attempt(request, deadline).catch((error: unknown) => {
          if (!isConnectionReset(error)) throw error
          return attempt(request, deadline)
        })
      } catch (error) {
        throw outgoingError(error, deadline)
      }
    },
  }
}

/** A client that has one connection, and how the request is written on it. */
interface Prepared {
  readonly client: Client
  readonly sent: Pick<Dispatcher.RequestOptions, 'path' | 'headers'>
  /** Told when a proxy on the way wants other credentials. */
  readonly refused?: () => void
}

async function straight(
  request: OutgoingRequest,
  connecting: AbortSignal,
  addresses: AddressBook,
  tls: ReturnType<typeof createTlsConnector>,
): Promise<Prepared> {
  const host = new URL(request.origin).hostname.replace(/^\[(.*)\]$/, '$1')
  const lookup = await addresses.lookUp(host, { checked: request.route.kind === 'internet' }, connecting)
  const connect = { timeout: request.connectTimeoutMs, allowH2: false, lookup, ...tls(request.tls) }
  return { client: new Client(request.origin, { connect, ...boundsOf(request) }), sent: { path: request.path, headers: request.headers } }
}

async function throughConnector(request: OutgoingRequest, connecting: AbortSignal, route: OnPremiseRoute | undefined): Promise<Prepared> {
  if (route === undefined || request.route.kind !== 'on-premise') {
    throw new ConnectivityError('DESTINATION_INVALID', 'No connectivity proxy is set up for calls to on-premise token services')
  }
  const { proxyOrigin, headers, refused } = await route.open(request.route, connecting)
  return {
    client: new Client(proxyOrigin, { connect: { timeout: request.connectTimeoutMs, allowH2: false }, ...boundsOf(request) }),
    sent: { path: request.origin + request.path, headers: { ...request.headers, host: new URL(request.origin).host, ...headers } },
    refused,
  }
}

function boundsOf({ readTimeoutMs }: OutgoingRequest): Partial<Client.Options> {
  return {
    headersTimeout: readTimeoutMs,
    bodyTimeout: readTimeoutMs,
    maxHeaderSize: maxTokenAnswerHeaderBytes,
    maxResponseSize: maxTokenAnswerBytes,
  }
}
