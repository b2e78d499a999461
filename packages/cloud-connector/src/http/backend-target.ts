import type { VirtualAddress } from '../access-control/access-decision.ts'
import { internalPortOf, isTlsMapping, type SystemMapping } from '../access-control/system-mapping.ts'
import type { BackendTarget } from '../backend/backend-connection.ts'
import type { BackendTls } from '../backend/backend-trust.ts'
import { systemText } from './refusals.ts'

/** Where a request of an HTTP mapping goes. */
export function httpTargetOf(mapping: SystemMapping, address: VirtualAddress, tls: BackendTls): BackendTarget {
  return {
    host: mapping.internalHost,
    port: internalPortOf(mapping, address.port),
    tls: isTlsMapping(mapping) ? tls : undefined,
    protocol: 'http/1.1',
    system: systemText(address),
  }
}

/** Whether an open connection leads to the same place with the same trust. */
export function isSameTarget(a: BackendTarget, b: BackendTarget): boolean {
  return a.host === b.host && a.port === b.port && a.tls === b.tls
}
