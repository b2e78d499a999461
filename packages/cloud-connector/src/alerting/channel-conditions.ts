import type { LinkStatus } from '../connector-status.ts'
import type { AlertCondition } from './alert.ts'

/** Service channels whose port cannot be opened although their tunnel is there. Without the tunnel they are as closed as they should be. */
export function channelConditions(links: readonly LinkStatus[]): readonly AlertCondition[] {
  return links.flatMap(({ channels, locationId, subaccount, tunnel, tunnelEndpoint }) =>
    channels.flatMap(({ id, port, state }): readonly AlertCondition[] => {
      const isStuck = state.kind === 'failed' || (state.kind === 'waiting' && tunnel.kind === 'ready')
      if (!isStuck) return []
      const entity = `${subaccount}@${URL.parse(tunnelEndpoint)?.hostname ?? ''}`
      const name = `Service channel of subaccount ${entity} at local port ${port}`
      return [
        {
          key: `channel ${JSON.stringify([subaccount, locationId, id])}`,
          category: 'serviceChannels',
          type: 'ServiceChannel',
          message: `${name} is not open: ${state.message}`,
          recovery: `${name} is open again, or not wanted any more`,
          entity,
        },
      ]
    }),
  )
}
