/**
 * Administration of the cloud connector: the document in which everything is configured, users and roles, and the REST API in the wire format of the original.
 *
 * @example
 * const material = createMaterialMemory()
 * const editor = await openConfigurationEditor({ store: createDocumentStore(material, '1.0.0'), audit, takeOver: async (user) => log(`changed by ${user}`) })
 * const configuration = createAdministeredSource(() => editor.document) // for createCloudConnector
 * const parts = { access, backup, checkKerberos, hostAgent, leafKey, lifecycle, runtime, traces }
 * const routes = createAdministrationRoutes({ editor, clock: systemClock, version: '1.0.0', connectorId: 'c-1', ...parts }) // for createAdminListener
 * await editor.change('jane', (document) => ({ ...document, connector: { ...document.connector, description: 'plant 7' } }))
 *
 * @packageDocumentation
 */
export { type Caller, type Permission, permits, type Role, roles } from './access/roles.ts'
export { type AdministeredDocument, type ProxySettings, administeredDocumentSchema } from './document/administered-document.ts'
export { renewGeneratedCertificates } from './certificates/renew-generated.ts'
export { applyPendingRestore, requireNoPendingRestore } from './backup/pending-restore.ts'
export { createAdministeredSource, isWantedBy } from './document/administered-source.ts'
export { type ConfigurationEditor, openConfigurationEditor } from './document/configuration-editor.ts'
export { adoptIdentities } from './document/adopt-identities.ts'
export { removeAbandonedIdentities } from './document/remove-abandoned-identities.ts'
export { createFileEditor } from './document/file-editor.ts'
export { createInstallationAudit } from './document/installation-audit.ts'
export { mailSettingsOf, type ReportingSettings } from './document/reporting.ts'
export { traceSettingsOf, withTraceSettings } from './document/trace-settings.ts'
export { createDocumentStore, type DocumentStore } from './document/document-store.ts'
export { openHaSettings } from './high-availability/ha-settings.ts'
export { changeRole } from './high-availability/change-role.ts'
export { pairProbe } from './high-availability/pair-conditions.ts'
export { createPair } from './high-availability/pair.ts'
export type { Pair, PairNotice } from './high-availability/pair-contract.ts'
export { callPeer } from './high-availability/peer-call.ts'
export { createInstallation } from './high-availability/this-installation.ts'
export { type AdministrationOptions, createAdministrationRoutes } from './rest/administration-routes.ts'
export type { StartOptions } from './rest/backup.ts'
export type { RuntimeSettings } from './rest/runtime-settings.ts'
export type { HostAgent } from './rest/solution-management.ts'
export type { Authenticate } from './rest/route.ts'
export { type Access, type AccessOptions, openAccess } from './access/access.ts'
export { type LocalSession, openLocalSession } from './access/local-session.ts'
export { createAdmitMonitoring } from './access/admit-monitoring.ts'
export type { PasswordHasher } from './access/local-user-store.ts'
export { type AuthenticationData, formatAuthenticationData } from './subaccounts/authentication-data.ts'
export { createSubaccountLifecycle, type SubaccountLifecycle } from './subaccounts/subaccount-lifecycle.ts'
export { createWayToCloud } from './subaccounts/way-to-cloud.ts'
export { renewalPolicyOf } from './subaccounts/renewal-policy.ts'
export { type AccessReset, resetAccess } from './access/reset-access.ts'
export type { OwnedCertificate } from './document/on-premises.ts'
export { readMappingEntry } from './document/read-mapping-entry.ts'
export { encodeResourceId } from './rest/resource-id.ts'
export { type Migration, migrateAnswers } from './migration/migrate-answers.ts'
export { type MigratedFiles, migratedFiles } from './migration/migrated-files.ts'
export type { MigrationNote, MigrationReport } from './migration/migration-report.ts'
export { type AskOriginal, collectOriginalAnswers, type OriginalAnswers } from './migration/original-answers.ts'
export { type ExportOwner, readSavedAnswers, type SavedAnswers } from './migration/saved-answers.ts'
