import type { AuditEntry } from '@sallyport/core'
import { formatTunnelId } from '../tunnels.ts'

/** What is known about somebody who has knocked at the tunnel listener. */
export interface TunnelHandshake {
  /** `''` when no certificate told it. */
  readonly subaccount: string
  readonly locationId: string
  readonly connectorId: string
  readonly user: string
  /** `success`, or why not. */
  readonly details: string
}

/** The fact that a tunnel was opened or refused, with the members that the original documents for it in its message. */
export function tunnelAuditEntry(handshake: TunnelHandshake): AuditEntry {
  const succeeded = handshake.details === 'success'
  return {
    type: succeeded ? 'tunnel-opened' : 'tunnel-refused',
    subaccount: handshake.subaccount,
    user: handshake.user === '' ? 'fallback_for_missing_user' : handshake.user,
    message: JSON.stringify({
      action: 'open connectivity tunnel',
      message: succeeded ? 'tunnel handshake success' : 'tunnel handshake failure',
      tunnelId: formatTunnelId(handshake.subaccount, handshake.locationId),
      objectName: 'connectivity tunnel management',
      clientId: handshake.connectorId,
      loggedByClass: '@sallyport/connectivity-proxy',
      handshakeDetails: handshake.details,
    }),
  }
}

/** The line that the original writes to standard output for a tunnel fact: `data` is JSON inside a string. `undefined` for entries of other types. */
export function formatTunnelAuditLine(entry: AuditEntry): string | undefined {
  if (entry.type !== 'tunnel-opened' && entry.type !== 'tunnel-refused') return undefined
  return `[AUDIT-EVENT] ${JSON.stringify({ user: entry.user, data: entry.message, tenant: entry.subaccount })}`
}
