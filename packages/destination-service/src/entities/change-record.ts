import { ConnectivityError } from '@sallyport/core'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import type { EntityKind, Level } from './entity-repository.ts'

/** @throws ConnectivityError `SERVICE_UNAVAILABLE` when changes can no longer be audited: then nothing may change. */
export function requireAudit({ audit }: Pick<ServiceContext, 'audit'>): void {
  if (audit?.failing === true)
    throw new ConnectivityError('SERVICE_UNAVAILABLE', 'changes are refused while the audit log cannot be written')
}

/** Says who has changed which entities, in the log and in the audit; returns when the audit has it on stable storage. */
export async function recordChanges(
  { caller, correlationId, log }: Pick<ServiceRequest, 'caller' | 'correlationId' | 'log'>,
  { audit }: Pick<ServiceContext, 'audit'>,
  change: {
    readonly kind: EntityKind
    readonly level: Level
    readonly verb: 'created' | 'replaced' | 'deleted' | 'labelled'
    readonly names: readonly string[]
  },
): Promise<void> {
  const { kind, verb } = change
  const { subaccountId, instanceId } = change.level
  for (const name of change.names) {
    log.info({ [kind]: name, instance: instanceId, change: verb }, `${kind} changed`)
    audit?.write({
      type: 'configuration-changed',
      subaccount: subaccountId,
      category: categories[kind],
      user: caller.user,
      message: `${kind} ${name} ${verb}${instanceId === null ? '' : ` on instance ${instanceId}`}`,
      correlationId,
    })
  }
  if (change.names.length > 0) await audit?.flushed()
}

const categories: Readonly<Record<EntityKind, string>> = {
  destination: 'Destination',
  fragment: 'DestinationFragment',
  certificate: 'Certificate',
}
