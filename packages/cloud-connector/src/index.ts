/**
 * The on-premise side: dials out, decides access, propagates principals. Trusts nothing of the cloud side but the wire.
 *
 * @example
 * const identity = await pairConnector({ server: new URL('https://connectivity.example.org:8041'), trust: { authorities }, code, connectorId, locationId: '', description: '' })
 * await saveIdentity(material, identity)
 * const connector = createCloudConnector({
 *   configuration: createConfigurationFile({ file: 'sallyport.yaml', clock }), identities: await loadIdentities(material),
 *   createTransport: (current) => createTlsTransport({ clock, client: () => clientMaterial(current()) }), material, audit, clock, agentVersion: '1.0.0',
 * })
 * await connector.start()
 *
 * @packageDocumentation
 */
export { removeUnusedMaterial } from './identity/remove-unused-material.ts'
export { channelKey } from './channels/channel-ids.ts'
export { channelTypeNames } from './channels/channel-type-names.ts'
export { decideHttpAccess, type VirtualAddress } from './access-control/access-decision.ts'
export { createMappingTable, type MappingTable } from './access-control/mapping-table.ts'
export { admits, type HttpResource } from './access-control/http-resource.ts'
export { readRequestPath, type RequestPath } from './access-control/request-path.ts'
export type { SystemMapping } from './access-control/system-mapping.ts'
export type { Alert, AlertCondition, AlertType } from './alerting/alert.ts'
export { type AlertSettings, type HealthProbe, type HealthWatch, startHealthWatch } from './alerting/health-watch.ts'
export type { SendAlert } from './alerting/alert-delivery.ts'
export { createMailSender } from './alerting/send-mail.ts'
export { createWebhookSender } from './alerting/send-webhook.ts'
export { standardProbes } from './alerting/standard-probes.ts'
export { type AuditLog, createAuditLog } from './audit/audit-log.ts'
export type { StoredAuditEntry } from './audit/audit-line.ts'
export { type AuditExport, exportAuditLog } from './audit/export-audit-log.ts'
export { type AuditSelection, selectAuditEntries } from './audit/select-audit-entries.ts'
export { type AuditProblem, type AuditVerification, verifyAuditLog } from './audit/verify-audit-log.ts'
export { renderApplications } from './listener/application-connections.ts'
export { renderChannels } from './listener/channel-answers.ts'
export type { ChannelUsage } from './channels/channel-usage.ts'
export type { ChannelState, ChannelStatus } from './channels/service-channel.ts'
export type { Reachability } from './backend/reachability.ts'
export { type CloudConnector, type CloudConnectorOptions, createCloudConnector, type LinkName } from './cloud-connector.ts'
export {
  type ConfigurationSource,
  type WrittenConnectors,
  createConfigurationFile,
  createConfigurationText,
} from './configuration/configuration-source.ts'
export {
  acceptConnectors,
  checkConnectors,
  type Configuration,
  type ConnectorConfiguration,
  parseConfiguration,
} from './configuration/connector-configuration.ts'
export {
  type ConfigurationText,
  configurationError,
  type LocatedProblem,
  readConfigurationText,
} from './configuration/configuration-text.ts'
export type { BackendStatus, ConnectorStatus, LinkStatus, TrustedIssuerStatus } from './connector-status.ts'
export type { RenewalPolicy } from './identity/certificate-renewal.ts'
export { type ConnectorIdentity, copyIdentity, loadIdentities, removeIdentity, saveIdentity } from './identity/connector-identity.ts'
export { createMaterialFolder, createMaterialMemory, type MaterialStore } from './identity/material-store.ts'
export { enrolConnector, type Enrolment, type OpenWay, pairConnector, type PairingProof, type ServerTrust } from './identity/pairing.ts'
export type { KerberosLogon } from './kerberos/kerberos-tickets.ts'
export { checkKeytab, type KeytabEntry, readKeytab } from './kerberos/keytab.ts'
export type { MonitoringSources } from './listener/monitoring-routes.ts'
export { type AdminListener, type AdminTls, type AdmitMonitoring, createAdminListener } from './listener/admin-listener.ts'
export type { OwnedCertificate } from './monitoring/certificate-status.ts'
export { ownedCertificateOf } from './monitoring/owned-certificates.ts'
export type { HardwareStatus, Series } from './monitoring/hardware-history.ts'
export { type HardwareMonitor, startHardwareMonitor } from './monitoring/hardware-monitor.ts'
export { type CpuStatus, createMachineProbe, type MachineProbe, type MemoryStatus, type Share } from './monitoring/machine-probe.ts'
export { bucketBoundsMs, bucketOf } from './monitoring/performance-buckets.ts'
export type { PrincipalPreview } from './principal/principal-handling.ts'
export type { Simulation } from './simulation/simulation.ts'
export type { RequestSimulation, SimulatedPrincipal, SimulatedRequest } from './simulation/simulated-request.ts'
export {
  type ConnectorTraces,
  type LinkTraces,
  openConnectorTraces,
  type TraceHolder,
  type TraceSettings,
} from './trace/connector-traces.ts'
export { readTrafficPermission, type TrafficPermission } from './trace/four-eyes-file.ts'
export type { TracePayload } from './trace/traced-stream.ts'
export type { ResourceFilterEntry } from './monitoring/request-monitor.ts'
export type { MeasuredTimes, RequestRecord, RequestTimes } from './monitoring/request-record.ts'
export type { UsageCount, UsageHour } from './monitoring/usage-counter.ts'
export type { VirtualHostUsage } from './monitoring/usage-statistics.ts'
export type { TrafficControl, TrafficStatus } from './traffic-status.ts'
export type { ConnectorAudit, CreateTransport } from './tunnel-link.ts'
