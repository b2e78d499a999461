import { type Clock, ConnectivityError } from '@sallyport/core'
import { formatTunnelId } from '@sallyport/tunnel'
import type { ProxyLimits } from './limits.ts'
import type { Refusal } from './refusal.ts'
import * as refusals from './refusals.ts'
import type { ProxyTunnel, Tunnels } from './tunnels.ts'

/** A wait for a tunnel; `cancel` when the application has gone. */
export interface TunnelWait {
  readonly result: Promise<ProxyTunnel | Refusal>
  cancel(): void
}

/** Waits for the tunnel of a connector that is on its way, and says why there is none. Never rejects. */
export function waitForTunnel(options: {
  readonly tunnels: Tunnels
  readonly clock: Clock
  readonly limits: ProxyLimits
  readonly subaccount: string
  readonly locationId: string
  readonly onTunnelTimeout: (tunnelId: string) => void
}): TunnelWait {
  const { subaccount, locationId } = options
  const controller = new AbortController()
  const tunnelId = formatTunnelId(subaccount, locationId)
  let timedOut = false
  const stopClock = options.clock.after(options.limits.tunnelOpenTimeoutMs, () => {
    timedOut = true
    controller.abort(new ConnectivityError('TUNNEL_NOT_OPENED', `Timed out waiting for tunnel to open: ${tunnelId}`))
  })
  const wait = async (): Promise<ProxyTunnel | Refusal> => {
    try {
      return await options.tunnels.waitFor(subaccount, locationId, controller.signal)
    } catch (error) {
      if (ConnectivityError.is(error, 'CONNECTOR_NOT_CONNECTED')) return refusals.notConnected(subaccount, locationId)
      if (timedOut || ConnectivityError.is(error, 'TUNNEL_NOT_OPENED')) {
        options.onTunnelTimeout(tunnelId)
        return refusals.tunnelTimeout(tunnelId)
      }
      return refusals.tunnelLost
    } finally {
      stopClock()
    }
  }
  return { result: wait(), cancel: () => controller.abort(new ConnectivityError('ABORTED', 'the application has gone')) }
}
