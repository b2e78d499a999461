import type { Duplex } from 'node:stream'
import { type Address, type Dial, formatAddress, type Principal, strictTlsRules, withDeadline } from '@sallyport/core'
import { secureStream, type TlsOptions } from '@sallyport/stream'
import type { buildConnector } from 'undici'

/** Where the connections of one pool lead. */
export interface ConnectorOptions {
  readonly dial: Dial
  readonly target: Address
  readonly locationId: string
  readonly principal: Principal | undefined
  /** TLS to this host on top of the stream; `undefined` for none. */
  readonly tls: { readonly options: TlsOptions; readonly trustAll: boolean } | undefined
  readonly timeoutMs: number
  /** Fires when the client is disposed. */
  readonly closed: AbortSignal
}

/** Lets undici open its connections with a dial. One deadline covers dial and TLS. */
export function createConnector({
  dial,
  target,
  locationId,
  principal,
  tls,
  timeoutMs,
  closed,
}: ConnectorOptions): buildConnector.connector {
  const attempt = `connect to ${formatAddress(target)}`
  const open = async (): Promise<Duplex> => {
    const signal = withDeadline(timeoutMs, closed)
    const stream = await dial(target, { signal, locationId, ...(principal === undefined ? {} : { principal }) })
    return tls === undefined
      ? stream
      : secureStream(stream, {
          host: target.host,
          tls: tls.options,
          ...(tls.trustAll ? { rules: { ...strictTlsRules, checkAuthority: false } } : {}),
          alpn: ['http/1.1'],
          signal,
          attempt,
        })
  }
  return (_options, callback) => {
    open().then(
      // undici takes any Duplex; its types know sockets only.
      (stream) => callback(null, stream as Parameters<typeof callback>[1] & Duplex),
      (error: unknown) => callback(error instanceof Error ? error : new Error(attempt, { cause: error }), null),
    )
  }
}
