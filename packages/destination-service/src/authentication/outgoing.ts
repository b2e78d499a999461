import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { createSecureContext, getCACertificates } from 'node:tls'
import { ConnectivityError } from '@sallyport/core'
import { Client, type Dispatcher } from 'undici'
import { isAddressAllowed, type PrivateAddresses } from './address-policy.ts'
import { maxResolvedAddresses, maxTokenAnswerBytes, maxTokenAnswerHeaderBytes } from '../limits.ts'
import { isConnectionReset, outgoingError } from './outgoing-errors.ts'

/** A form that is posted to an address out of somebody's destination. */
export interface OutgoingRequest {
  /** Scheme, host and port. */
  readonly origin: string
  /** Path and query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Accepts every certificate, because the destination says so. */
  readonly trustAll: boolean
  readonly connectTimeoutMs: number
  /** How long the peer may be silent. */
  readonly readTimeoutMs: number
}

/** What a peer has answered, whatever the status. */
export interface OutgoingAnswer {
  readonly status: number
  readonly body: string
}

/** The one way out of this service to addresses that users choose. */
export interface Outgoing {
  /**
   * Posts and returns whatever the peer answers, without following redirects. One try more when the peer resets the connection before it answers.
   *
   * @throws ConnectivityError `ACCESS_DENIED` when the address is not allowed, `PEER_UNREACHABLE`, `PEER_UNTRUSTED`, `DEADLINE_EXCEEDED`, or
   * `PROTOCOL_VIOLATION` for an answer that is too large or no HTTP. Messages may be shown to callers.
   */
  post(request: OutgoingRequest, signal: AbortSignal): Promise<OutgoingAnswer>
}

/** An address that a name stands for. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Which addresses may be called, and whom to trust there. */
export interface OutgoingOptions {
  /** `refuse` keeps tenants out of the network that the service runs in; `allow` is for self-hosted development. */
  readonly privateAddresses: PrivateAddresses
  /** Certificates (PEM) that are trusted beside the ones that Node trusts. */
  readonly certificateAuthorities?: readonly string[]
  /** Resolves names; the system's resolver unless told. */
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>
}

/**
 * Makes the way out. Names are resolved once, every address is checked, and what was checked is what is dialled, so that DNS cannot lead elsewhere in
 * between.
 */
export function createOutgoing(options: OutgoingOptions): Outgoing {
  const resolve = options.resolve ?? resolveBySystem
  // Reading all the authorities takes milliseconds, so it is done once.
  const secureContext = createSecureContext({ ca: [...getCACertificates('default'), ...(options.certificateAuthorities ?? [])] })

  /** Name resolution counts as connecting: it ends with the deadline, although the system's resolver cannot be interrupted. */
  async function allowedAddresses(host: string, deadline: AbortSignal): Promise<readonly ResolvedAddress[]> {
    const family = isIP(host)
    const addresses =
      family === 0
        ? (await beforeDeadline(resolve(host), deadline)).slice(0, maxResolvedAddresses)
        : [{ address: host, family: family as 4 | 6 }]
    if (addresses.length === 0)
      throw new ConnectivityError('PEER_UNREACHABLE', 'The connection to the token service could not be established')
    // One forbidden address among several is no accident: the name is not dialled at all.
    if (!addresses.every(({ address }) => isAddressAllowed(address, options.privateAddresses))) {
      throw new ConnectivityError('ACCESS_DENIED', 'The token service URL leads to an address that must not be called')
    }
    return addresses
  }

  async function attempt(request: OutgoingRequest, deadline: AbortSignal): Promise<OutgoingAnswer> {
    const host = new URL(request.origin).hostname.replace(/^\[(.*)\]$/, '$1')
    const addresses = await allowedAddresses(host, AbortSignal.any([deadline, AbortSignal.timeout(request.connectTimeoutMs)]))
    const client = new Client(request.origin, {
      connect: {
        timeout: request.connectTimeoutMs,
        allowH2: false,
        lookup: answering(addresses),
        ...(request.trustAll ? { rejectUnauthorized: false } : { secureContext }),
      },
      headersTimeout: request.readTimeoutMs,
      bodyTimeout: request.readTimeoutMs,
      maxHeaderSize: maxTokenAnswerHeaderBytes,
      maxResponseSize: maxTokenAnswerBytes,
    })
    try {
      const sent: Dispatcher.RequestOptions = {
        method: 'POST',
        path: request.path,
        headers: request.headers,
        body: request.body,
        signal: deadline,
      }
      const answer = await client.request(sent)
      const body = await answer.body.text().catch((error: unknown) => {
        // Translated here already: once there is an answer, a reset is no reason to ask again.
        throw outgoingError(error, deadline)
      })
      return { status: answer.statusCode, body }
    } finally {
      // Token calls are rare; keeping connections to addresses that users choose is not worth it.
      await client.destroy()
    }
  }

  return {
    async post(request, signal) {
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

async function resolveBySystem(host: string): Promise<readonly ResolvedAddress[]> {
  return (await lookup(host, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}

/** A resolver that knows only the addresses that have been checked, so that a second answer of DNS cannot replace them. */
function answering(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    if (all === true) callback(null, [...addresses])
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family)
  }
}

function beforeDeadline<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new ConnectivityError('DEADLINE_EXCEEDED', 'The token service did not answer in time'))
    if (deadline.aborted) late()
    deadline.addEventListener('abort', late, { once: true })
    void work.then(resolve, reject).finally(() => deadline.removeEventListener('abort', late))
  })
}
