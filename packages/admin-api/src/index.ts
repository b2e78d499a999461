/**
 * Schemas and typed clients of the administration APIs. Command line, console and services share them, so that what one side sends the other understands.
 *
 * @example
 * const client = createDestinationAdminClient({ url: 'https://127.0.0.1:8446', token: () => serviceToken(), request: fetch })
 * await client.set('subaccount', { Name: 'ERP', Type: 'HTTP', URL: 'http://erp.demo:8000', ProxyType: 'OnPremise' })
 * const found = await client.find('ERP', { skipTokenRetrieval: true })
 *
 * @packageDocumentation
 */
export type { DestinationAdminClientOptions } from './admin-call.ts'
export type { AdminAnswer, AdminRequest, AdminRequestInit } from './admin-request.ts'
export { type HeapSettings, heapSizeSchema, parseHeapSize } from './connector/heap-size.ts'
export { ruleOf, showValue } from './value-rule.ts'
export {
  checkDestination,
  type DestinationInput,
  destinationInputSchema,
  type DestinationRecord,
  type DestinationVerdict,
} from './destination.ts'
export { type ClusterAddress, parseClusterAddress } from './connector/cluster-address.ts'
export {
  type ChannelTarget,
  channelTypes,
  defaultChannelHost,
  localPortOf,
  type ServiceChannelEntry,
  serviceChannelSchema,
  targetOf,
} from './connector/service-channel.ts'
export {
  createDestinationAdminClient,
  type DestinationAdminClient,
  type DestinationLevel,
  type FindOptions,
} from './destination-admin-client.ts'
export {
  type AuthToken,
  authTokenSchema,
  consumeResultSchema,
  destinationErrorSchema,
  destinationListSchema,
  destinationNotFoundText,
  destinationRecordSchema,
  type FindResult,
  type ReturnedCertificate,
  findResultSchema,
} from './destination-answers.ts'
export {
  type AdministeredCertificate,
  administeredCertificatesSchema,
  type AdministeredEntity,
  administeredEntitySchema,
  type AdministeredInstance,
  administeredInstancesSchema,
  type AdministrationSession,
  administrationSessionSchema,
  type AreaAccess,
  type LevelAccess,
} from './destination-administration/administration-answers.ts'
export {
  type EntityDraft,
  entityDraftSchema,
  type ExchangedFile,
  exchangedFileSchema,
  type ExchangeFormat,
  exchangeFormats,
  type ExportOrder,
  exportOrderSchema,
  type ImportedEntry,
  importedEntriesSchema,
  type ImportOrder,
  importOrderSchema,
} from './destination-administration/administration-requests.ts'
export {
  type AdministeredLevel,
  createDestinationAdministration,
  type DestinationAdministration,
  type EditedCollection,
} from './destination-administration/administration-client.ts'
export { type EncryptionStatus, encryptionStatusSchema } from './destination-administration/encryption-status.ts'
export { type DestinationRemark, reviewDestination } from './destination-administration/destination-review.ts'
export { type CheckedHop, type ConnectionVerdict, connectionVerdictSchema } from './destination-administration/connection-check.ts'
export {
  existingPolicies,
  type ExistingPolicy,
  type InitialConfigurations,
  type InstanceParameters,
  instanceParametersSchema,
  type ScopeLists,
} from './destination-administration/instance-parameters.ts'
export {
  type AdministeredArea,
  type AdministrationAction,
  defaultRoleCollections,
  type DestinationRole,
  destinationRoles,
  mayOpenEditor,
  permits,
  rolesNeeded,
  rolesOfScopes,
  scopeOfRole,
} from './destination-administration/roles.ts'
export {
  type DestinationDescriptor,
  destinationFromServiceKey,
  resolveDescriptor,
  type ServiceKey,
  type TemplateOptions,
  type TemplateOutcome,
  type TemplatedDestination,
} from './destination-administration/service-key-template.ts'
export { isSecretProperty } from './secret-properties.ts'
export { maxEntityNameLength, maxLabels, maxLabelValues, maxPropertyKeyBytes, maxPropertyValueBytes } from './limits.ts'
export { isEntityName } from './entity-name.ts'
export { type PropertiesVerdict, readProperties } from './entity-properties.ts'
export { checkFragment, type FragmentInput, type FragmentRecord, fragmentRecordSchema, type FragmentVerdict } from './fragment.ts'
export { type BulkDeletion, bulkDeletionSchema, type BulkResultEntry, bulkResultSchema, countSchema } from './collection-answers.ts'
export { type Label, labelChangeSchema, labelSchema, labelsSchema } from './label.ts'
export { closestName } from './closest-name.ts'
export { checkConfiguration, type ConfigurationProblem, type ConfigurationSchema, formatProblemPath } from './configuration-problem.ts'
export {
  type AuditSettingsEntry,
  type BackendTrustEntry,
  type CertificateReference,
  type ConnectorEntry,
  connectorEntrySchema,
  mappingEntrySchema,
  connectorFileSchema,
  type CookieDomainEntry,
  type MappingEntry,
  type PrincipalPropagationEntry,
  type ResourceEntry,
  type RuleCondition,
  type SubjectRuleEntry,
  type TrustSettingsEntry,
} from './connector/connector-configuration.ts'
export {
  alertCategories,
  type AlertCategory,
  type AlertingSettings,
  alertingSettingsSchema,
  type WebhookSettings,
  webhookSettingsSchema,
} from './connector/alerting-settings.ts'
export { type EmailSettings, emailSettingsSchema, type EmailTrustOption, emailTrustOptions } from './connector/email-settings.ts'
export {
  type AuditLogSettings,
  auditLogSettingsSchema,
  type LogSettings,
  logSettingsSchema,
  parseRolloverThreshold,
  type TraceLevel,
  traceLevels,
  type TrafficTraceSettings,
  trafficTraceSettingsSchema,
} from './connector/log-settings.ts'
export type { FileReference } from './connector/file-reference.ts'
export {
  type KerberosEncryption,
  type KerberosEntry,
  kerberosEncryptions,
  kerberosKeys,
  type KerberosSettings,
} from './connector/kerberos-settings.ts'
export {
  type BackendProtocol,
  backendProtocols,
  type BackendType,
  backendTypes,
  defaultPrincipalType,
  type HostInHeader,
  hostsInHeader,
  type PrincipalType,
  principalTypes,
  principalTypesOf,
  protocolsOf,
} from './connector/protocol-matrix.ts'
export type { BlockedUserEntry, FunctionEntry, RfcMappingEntry } from './connector/rfc-mapping.ts'
