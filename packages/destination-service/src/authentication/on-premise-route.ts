import { ConnectivityError, type Secret, underSignal } from '@sallyport/core'

/** Leads calls to on-premise systems: a connectivity proxy that takes requests in absolute form. */
export interface OnPremiseRoute {
  /**
   * Where to send a request for that subaccount and location, and what to say there.
   *
   * @throws ConnectivityError when the proxy cannot be authorised for the subaccount; the message may be shown to callers.
   */
  open(target: OnPremiseTarget, signal: AbortSignal): Promise<OnPremiseHop>
}

/** Whose connector is meant. `locationId` `''` is the one without. */
export interface OnPremiseTarget {
  readonly subaccountId: string
  readonly locationId: string
}

/** How a request gets to the proxy and past it. */
export interface OnPremiseHop {
  /** Scheme, host and port of the proxy. */
  readonly proxyOrigin: string
  /** Authorise a request there. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** To be told when the proxy did not accept them. */
  readonly refused: () => void
}

/** Tokens of a connectivity instance, each for one subaccount; keeping them is its own business. */
export interface ConnectivityProxyTokens {
  get(subaccountId: string): Promise<Secret>
  /** The proxy did not accept the last one. */
  forget(subaccountId: string): void
}

/** A route through the HTTP port of a connectivity proxy. */
export function createConnectivityProxyRoute(options: {
  readonly proxyOrigin: string
  readonly tokens: ConnectivityProxyTokens
}): OnPremiseRoute {
  const { proxyOrigin, tokens } = options
  return {
    async open({ subaccountId, locationId }, signal) {
      const attempt = 'authorise at the connectivity proxy'
      const token = await underSignal(tokens.get(subaccountId), signal, attempt).catch((cause: unknown) => {
        throw new ConnectivityError('SERVICE_UNAVAILABLE', 'The connectivity proxy could not be authorised for the subaccount', { cause })
      })
      return {
        proxyOrigin,
        headers: {
          'proxy-authorization': `Bearer ${token.reveal()}`,
          ...(locationId === '' ? {} : { 'sap-connectivity-scc-location_id': locationId }),
        },
        refused: () => tokens.forget(subaccountId),
      }
    },
  }
}
