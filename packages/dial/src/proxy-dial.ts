import type { Duplex } from 'node:stream'
import {
  abortedError,
  type Address,
  ConnectivityError,
  type Dial,
  type DialOptions,
  formatAddress,
  type Secret,
  underSignal,
  withDeadline,
} from '@sallyport/core'
import { proxyUnreachableError, refusePrincipal, tokenError } from './dial-errors.ts'
import { createDirectDial } from './direct-dial.ts'
import { handOver } from './hand-over.ts'
import { negotiateConnect } from './http-negotiation.ts'
import { negotiationTimeoutMs } from './limits.ts'
import { formatTokenMessage } from './socks-messages.ts'
import { loadSocks, negotiateSocks } from './socks-negotiation.ts'
import { wireHost } from './wire-host.ts'

interface ProxyDialBase {
  readonly proxy: Address
  /** How the proxy itself is reached; the default is a direct dial. */
  readonly dial?: Dial
  /** Limit of one attempt, from the first byte to the far connection, when the caller's signal allows more; the default is 30 seconds. */
  readonly timeoutMs?: number
}

/** A forward proxy that knows CONNECT, as companies put it between their network and the Internet. */
export interface HttpProxyDialOptions extends ProxyDialBase {
  readonly kind: 'http'
  /** Sent as Basic authentication without waiting for a challenge. */
  readonly credentials?: { readonly user: string; readonly password: Secret }
}

/** The SOCKS5 port of a connectivity proxy. */
export interface SocksProxyDialOptions extends ProxyDialBase {
  readonly kind: 'socks5'
  /** Asked once for each attempt, before the proxy is dialled; caching and renewal are its own. */
  readonly token: (signal: AbortSignal) => Promise<Secret>
}

/** Through which kind of proxy, and how. */
export type ProxyDialOptions = HttpProxyDialOptions | SocksProxyDialOptions

/**
 * Dials through a proxy. Host names go to the proxy as they are and are never looked up here. The dial resolves when the
 * far connection is open; bytes that the far side sent meanwhile wait in the stream.
 */
export function createProxyDial(options: ProxyDialOptions): Dial {
  const { proxy, dial = createDirectDial(), timeoutMs = negotiationTimeoutMs } = options
  const negotiate = options.kind === 'http' ? httpNegotiator(options) : socksNegotiator({ ...options, timeoutMs })
  return async (address, dialOptions) => {
    const attempt = `connect to ${formatAddress(address)} through the proxy ${formatAddress(proxy)}`
    refusePrincipal(dialOptions, attempt, 'this proxy port')
    const signal = withDeadline(timeoutMs, dialOptions.signal)
    if (signal.aborted) throw abortedError(signal, attempt)
    const begin = await negotiate(address, dialOptions, signal, attempt)
    let socket: Duplex
    try {
      socket = await dial(proxy, { signal, locationId: '' })
    } catch (error) {
      throw proxyUnreachableError(attempt, error)
    }
    // Whoever breaks the negotiation is told below; a stream without a listener would end the process.
    socket.on('error', () => {})
    try {
      await begin(socket)
      return await handOver(socket)
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
}

/** First half: what can fail before the proxy is dialled. The function it returns does the rest on the open connection. */
type Negotiator = (
  address: Address,
  options: DialOptions,
  signal: AbortSignal,
  attempt: string,
) => Promise<(socket: Duplex) => Promise<void>>

function httpNegotiator({ credentials }: HttpProxyDialOptions): Negotiator {
  // oxlint-disable-next-line no-control-regex -- RFC 7617 §2 forbids them
  if (credentials !== undefined && (/[:\x00-\x1f\x7f]/.test(credentials.user) || /[\x00-\x1f\x7f]/.test(credentials.password.reveal()))) {
    throw new ConnectivityError('CONFIGURATION_INVALID', 'proxy credentials: no control characters, and no colon in the user')
  }
  return async (address, _options, signal, attempt) => {
    const authority = formatAddress({ host: wireHost(address), port: address.port })
    return (socket) => negotiateConnect({ socket, authority, credentials, signal, attempt })
  }
}

function socksNegotiator({ token, timeoutMs }: Pick<SocksProxyDialOptions, 'token'> & { readonly timeoutMs: number }): Negotiator {
  return async (address, { locationId }, signal, attempt) => {
    const host = wireHost(address)
    const client = await loadSocks()
    const secret = await underSignal(askForToken(token, signal, attempt), signal, attempt)
    const tokenMessage = formatTokenMessage(secret.reveal(), locationId, attempt)
    return (socket) => negotiateSocks({ client, socket, host, port: address.port, tokenMessage, signal, timeoutMs, attempt })
  }
}

async function askForToken(token: SocksProxyDialOptions['token'], signal: AbortSignal, attempt: string): Promise<Secret> {
  try {
    return await token(signal)
  } catch (error) {
    throw tokenError(attempt, error)
  }
}
