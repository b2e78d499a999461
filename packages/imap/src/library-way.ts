import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import type { Address, Clock } from '@sallyport/core'
import { createSocketLike, openBridge, tlsConnectionOptions, type TlsTerms } from '@sallyport/stream'
import type { ImapFlow, ImapFlowOptions } from 'imapflow'

/** A class of imapflow, whichever release. */
export type ImapFlowClass = typeof ImapFlow

/** A stream that is open, and what the library has to know to speak over it. */
export interface WayOptions {
  readonly stream: Duplex
  /** The stream carries TLS already. */
  readonly secured: boolean
  readonly address: Address
  readonly terms: TlsTerms
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly attempt: string
}

/** The first release with the option `transport`. */
const transportSince = [2, 5] as const

/** Whether this release can be handed a stream. Others can only dial, and are led to it by a private socket. */
export function takesTransport({ version }: Pick<ImapFlowClass, 'version'>): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > transportSince[0] || (major === transportSince[0] && minor >= transportSince[1])
}

/** Leads the library to a stream, in the way that its release knows. */
export function leadLibrary(library: ImapFlowClass, options: WayOptions): Promise<Partial<ImapFlowOptions>> {
  return takesTransport(library) ? Promise.resolve(byTransport(options)) : byBridge(options)
}

function byTransport({ stream, secured, address, terms, clock }: WayOptions): Partial<ImapFlowOptions> {
  return {
    secure: secured,
    transport: {
      connect(_options, onConnect) {
        // TLS sockets are sockets; anything else gets the members that the library looks for.
        const socket = secured ? (stream as TLSSocket) : createSocketLike({ open: async () => stream, address, clock })
        if (secured) setImmediate(onConnect)
        else socket.once('connect', onConnect)
        return socket
      },
      upgrade(plain, _options, onSecure) {
        const socket = connect({ ...tlsConnectionOptions(terms), socket: plain }, onSecure)
        socket.once('close', () => plain.destroy())
        return socket
      },
    },
  }
}

/** The library merges these over host and port, so the path wins; for STARTTLS it takes the rest of them. */
async function byBridge({ stream, terms, signal, attempt }: WayOptions): Promise<Partial<ImapFlowOptions>> {
  const { path } = await openBridge({ open: async () => stream, signal, attempt })
  return { secure: false, tls: { ...tlsConnectionOptions(terms), path } }
}
