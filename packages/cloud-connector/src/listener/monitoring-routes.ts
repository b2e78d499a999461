import type { Alert } from '../alerting/alert.ts'
import type { CloudConnector } from '../cloud-connector.ts'
import { type SortedCertificates, sortCertificates } from '../monitoring/certificate-status.ts'
import type { HardwareStatus } from '../monitoring/hardware-history.ts'
import type { MachineProbe } from '../monitoring/machine-probe.ts'
import { ownedCertificateOf } from '../monitoring/owned-certificates.ts'
import { renderAlerts } from './alert-answers.ts'
import { renderChannelConnections } from './channel-answers.ts'
import { renderCertificates, renderCpu, renderMemory, renderShare } from './machine-answers.ts'
import { renderBackendConnections, renderBackendPerformance, renderSubaccounts } from './monitoring-answers.ts'
import { renderTopTimeConsumers, renderUsage } from './traffic-answers.ts'

/** What the monitoring interfaces show. */
export interface MonitoringSources {
  readonly connector: Pick<CloudConnector, 'status' | 'backends' | 'traffic' | 'certificates'>
  readonly machine: MachineProbe
  /** PEM of the certificate that the administration listener shows. */
  readonly uiCertificate: () => string
  /** Certificates that end in fewer days are expiring. */
  readonly certificateValidityDays: () => number
  readonly hardware: () => HardwareStatus
  readonly alerts: () => readonly Alert[]
  readonly now: () => number
}

/** What a standby instance answers too: everything else is about traffic that only the master has. */
export const routesOfShadow: ReadonlySet<string> = new Set([
  '/api/monitoring/disk',
  '/api/monitoring/cpu',
  '/api/monitoring/alerts',
  '/api/monitoring/hardware',
])

/** The monitoring interfaces of the original by their paths; each makes its answer when it is asked for. */
export function monitoringRoutes(sources: MonitoringSources): Readonly<Record<string, () => unknown>> {
  const { connector, machine } = sources
  const sorted = (): SortedCertificates =>
    sortCertificates([ownedCertificateOf('UI', sources.uiCertificate()), ...connector.certificates], {
      nowMs: sources.now(),
      thresholdDays: sources.certificateValidityDays(),
    })
  return {
    '/api/monitoring/subaccounts': () => renderSubaccounts(connector.status),
    '/api/monitoring/connections/backends': () => renderBackendConnections(connector.backends),
    '/api/monitoring/connections/serviceChannels': () => renderChannelConnections(connector.status.links),
    '/api/monitoring/performance/backends': () => renderBackendPerformance(connector.backends),
    '/api/monitoring/performance/topTimeConsumers': () => renderTopTimeConsumers(connector.traffic),
    '/api/monitoring/usage': () => renderUsage(connector.traffic, connector.status.links),
    '/api/monitoring/memory': async () => renderMemory(await machine.memory()),
    '/api/monitoring/disk': async () => renderShare(await machine.disk()),
    '/api/monitoring/cpu': () => renderCpu(machine.cpu()),
    '/api/monitoring/hardware': () => ({ ...sources.hardware(), version: 1 }),
    '/api/monitoring/alerts': () => renderAlerts(sources.alerts()),
    '/api/monitoring/certificates': () => renderCertificates(sorted()),
    '/api/monitoring/certificates/expired': () => renderCertificates(sorted()).expired,
    '/api/monitoring/certificates/expiring': () => renderCertificates(sorted()).expiring,
    '/api/monitoring/certificates/ok': () => renderCertificates(sorted()).ok,
  }
}
