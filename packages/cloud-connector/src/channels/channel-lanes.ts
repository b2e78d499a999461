import type { ServiceChannelEntry } from '@sallyport/admin-api'
import { maxTunnelLanes, usualTunnelLanes } from '../limits.ts'

/**
 * How many physical connections the tunnel should consist of. All streams share them; a channel that asks for more than one adds the others. Used at the next
 * connect, because dialling anew would cut clients that stay longer than a connection may take to drain.
 */
export function lanesFor(channels: readonly ServiceChannelEntry[]): number {
  const added = channels.filter(({ enabled }) => enabled).reduce((sum, { connections }) => sum + connections - 1, 0)
  return Math.min(maxTunnelLanes, usualTunnelLanes + added)
}
