import type { TunnelStream, TunnelStreamHandlers } from '@sallyport/core'

/** The tunnels that connectors hold open, as the entry points see them: the server of `@sallyport/tunnel`, or anything alike. */
export interface Tunnels {
  /** The tunnel of that subaccount and location (`''`: the connector without location ID), when it can take streams now. */
  find(subaccount: string, locationId: string): ProxyTunnel | undefined
  /**
   * The same, but waits for a connector that was connected a moment ago and is dialling again.
   *
   * @throws ConnectivityError `CONNECTOR_NOT_CONNECTED` at once when none is expected, `TUNNEL_NOT_OPENED` when it does not come in time.
   */
  waitFor(subaccount: string, locationId: string, signal: AbortSignal): Promise<ProxyTunnel>
}

/** One tunnel. */
export interface ProxyTunnel {
  readonly tunnelId: string
  /** @throws ConnectivityError `TUNNEL_LOST` when it closes at this moment. */
  openStream(opening: Buffer, handlers: TunnelStreamHandlers): TunnelStream
}
