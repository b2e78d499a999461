import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import type { Address, Clock } from '@sallyport/core'
import { createSocketLike, openBridge, type SocketLike, tlsConnectionOptions, type TlsTerms } from '@sallyport/stream'
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
        const socket = secured
          ? lookSecured(stream as TLSSocket, { address, clock })
          : createSocketLike({ open: async () => stream, address, clock })
        socket.once('connect', onConnect)
        return socket
      },
      upgrade(plain, _options, onSecure) {
        const secure = connect({ ...tlsConnectionOptions(terms), socket: plain })
        secure.once('close', () => plain.destroy())
        const socket = lookSecured(secure, { address, clock }, once(secure, 'secureConnect'))
        socket.once('connect', onSecure)
        return socket
      },
    },
  }
}

/**
 * A TLS connection as the library is handed it. It is given no TLS socket: what comes together with the end of the stream, and closes it, would be lost there, because the
 * library gives up at the end whatever has not got through it yet.
 */
function lookSecured(
  secure: TLSSocket,
  where: { readonly address: Address; readonly clock: Clock },
  ready: Promise<unknown> = Promise.resolve(),
): SocketLike {
  // Whoever opens it hears of a failure; it may be given up before.
  ready.catch(() => {})
  secure.on('error', () => {})
  const open = async (given: AbortSignal): Promise<Duplex> => {
    given.addEventListener('abort', () => secure.destroy())
    await ready
    return secure
  }
  return Object.defineProperties(createSocketLike({ ...where, open }), {
    getCipher: { value: () => secure.getCipher() },
    authorized: { get: () => secure.authorized },
  })
}

/** The library merges these over host and port, so the path wins; for STARTTLS it takes the rest of them. */
async function byBridge({ stream, terms, signal, attempt }: WayOptions): Promise<Partial<ImapFlowOptions>> {
  const { path } = await openBridge({ open: async () => stream, signal, attempt })
  return { secure: false, tls: { ...tlsConnectionOptions(terms), path } }
}
