import type { LinkStatus } from '../connector-status.ts'
import type { AlertCondition } from './alert.ts'

/** Tunnels that should be open and are not. One that is being closed on purpose is none of them. */
export function tunnelConditions(links: readonly LinkStatus[]): readonly AlertCondition[] {
  return links.flatMap(({ locationId, subaccount, tunnel, tunnelEndpoint }): readonly AlertCondition[] => {
    const reason = tunnel.kind === 'failed' ? tunnel.message : tunnel.kind === 'connecting' ? tunnel.lastError?.message : undefined
    // Open, being closed, or at its first attempt.
    if (reason === undefined) return []
    const entity = `${subaccount}@${URL.parse(tunnelEndpoint)?.hostname ?? ''}`
    const name = `Tunnel of subaccount ${entity}${locationId === '' ? '' : ` with location ID ${locationId}`}`
    return [
      {
        key: `tunnel ${JSON.stringify([subaccount, locationId])}`,
        category: 'tunnels',
        type: 'Tunnel',
        message: `${name} is not open: ${reason}`,
        recovery: `${name} is open again, or not wanted any more`,
        entity,
      },
    ]
  })
}
