import { ConnectivityError, type Secret } from '@sallyport/core'

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

/** Scheme, host and port of the proxy, and the headers that authorise a request there. Names in lower case. */
export interface OnPremiseHop {
  readonly proxyOrigin: string
  readonly headers: Readonly<Record<string, string>>
}

/** A route through the HTTP port of a connectivity proxy. `token` returns a token of a connectivity instance for that subaccount; keeping it is its own business. */
export function createConnectivityProxyRoute(options: {
  readonly proxyOrigin: string
  readonly token: (subaccountId: string, signal: AbortSignal) => Promise<Secret>
}): OnPremiseRoute {
  return {
    async open({ subaccountId, locationId }, signal) {
      const token = await options.token(subaccountId, signal).catch((cause: unknown) => {
        throw new ConnectivityError('SERVICE_UNAVAILABLE', 'The connectivity proxy could not be authorised for the subaccount', { cause })
      })
      return {
        proxyOrigin: options.proxyOrigin,
        headers: {
          'proxy-authorization': `Bearer ${token.reveal()}`,
          ...(locationId === '' ? {} : { 'sap-connectivity-scc-location_id': locationId }),
        },
      }
    },
  }
}
