import { ConnectivityError } from '@sallyport/core'
import type { Level } from './entity-repository.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'

/** @throws ConnectivityError `SERVICE_UNAVAILABLE` when changes can no longer be audited: then nothing may change. */
export function requireAudit({ audit }: ServiceContext): void {
  if (audit?.failing === true)
    throw new ConnectivityError('SERVICE_UNAVAILABLE', 'changes are refused while the audit log cannot be written')
}

/** Says who has changed which destinations, in the log and in the audit; returns when the audit has it on stable storage. */
export async function recordChanges(
  { caller, correlationId, log }: ServiceRequest,
  { audit }: ServiceContext,
  change: { readonly level: Level; readonly verb: 'created' | 'replaced' | 'deleted'; readonly names: readonly string[] },
): Promise<void> {
  const { subaccountId, instanceId } = change.level
  for (const destination of change.names) {
    log.info({ destination, instance: instanceId, change: change.verb }, 'destination changed')
    audit?.write({
      type: 'configuration-changed',
      subaccount: subaccountId,
      category: 'Destination',
      user: caller.user,
      message: `destination ${destination} ${change.verb}${instanceId === null ? '' : ` on instance ${instanceId}`}`,
      correlationId,
    })
  }
  if (change.names.length > 0) await audit?.flushed()
}
