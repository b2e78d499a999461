import type { CloudConnector, ConnectorTraces } from '@sallyport/cloud-connector'
import type { AuditSink, Clock } from '@sallyport/core'
import type { LeafKey } from '@sallyport/principal-propagation'
import type { FastifyInstance } from 'fastify'
import type { Access } from '../access/access.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { createInstallationAudit } from '../document/installation-audit.ts'
import { createMasterEditor } from '../document/master-editor.ts'
import type { Pair } from '../high-availability/pair-contract.ts'
import { authentication } from './authentication.ts'
import { authorityLists } from './authority-lists.ts'
import { highAvailability } from './high-availability.ts'
import { pairCalls } from './pair-calls.ts'
import { connectivity } from './connectivity.ts'
import { deprecatedChannels } from './deprecated-channels.ts'
import { domainMappings } from './domain-mappings.ts'
import { housekeeping, type HousekeepingOptions } from './housekeeping.ts'
import { logAndTrace } from './log-and-trace.ts'
import type { SubaccountLifecycle } from '../subaccounts/subaccount-lifecycle.ts'
import { regions } from './regions.ts'
import { resources } from './resources.ts'
import { backup, type BackupOptions } from './backup.ts'
import { backendTrust } from './backend-trust.ts'
import { connectorBasics } from './connector-basics.ts'
import { ldapServers } from './ldap-servers.ts'
import { onPremisesCertificates, ownedCertificateRoutes, slotOf } from './owned-certificates.ts'
import { kerberos } from './kerberos.ts'
import { principalPropagation } from './principal-propagation.ts'
import { reporting } from './reporting.ts'
import { ofOneInstance, serveRoutes } from './route.ts'
import { serviceChannels } from './service-channels.ts'
import { type HostAgent, solutionManagement } from './solution-management.ts'
import { securityStatus } from './security-status.ts'
import { sessionRoutes } from './session-routes.ts'
import { simulation } from './simulation.ts'
import type { IsLocked } from './subaccount-path.ts'
import { subaccountTrust } from './subaccount-trust.ts'
import { subaccounts } from './subaccounts.ts'
import { uiSettings } from './ui-settings.ts'
import { subaccountTransfer } from './subaccount-transfer.ts'
import { transfer } from './transfer.ts'
import { tunnelViews } from './tunnel-view.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import { createAvailability } from '../subaccounts/availability.ts'
import { availabilityRoutes } from './availability.ts'
import { type AccessControlOptions, systemMappings } from './system-mappings.ts'

/** What the routes of the administration work on. */
export interface AdministrationOptions {
  readonly editor: ConfigurationEditor
  /** Of the product. */
  readonly version: string
  readonly access: Access
  readonly clock: Clock
  readonly backup: Pick<BackupOptions, 'material' | 'restart' | 'startOptions'> & { readonly audit: Pick<AuditSink, 'flushed' | 'write'> }
  readonly lifecycle: SubaccountLifecycle
  /** Looks whether tickets can be had, see `CloudConnector`. */
  readonly checkKerberos: CloudConnector['checkKerberos']
  /** Tells this installation from others. */
  readonly connectorId: string
  readonly hostAgent: HostAgent
  readonly runtime: HousekeepingOptions['runtime']
  /** What user certificates of the connector carry. */
  readonly leafKey: LeafKey
  /** What is traced now. */
  readonly traces: Pick<ConnectorTraces, 'folder' | 'isTlsTraceActive' | 'settings'>
  /** Not there where a file configures the connector: such an installation stands alone. */
  readonly pair?: Pair | undefined
  /** Nothing is locked without it. */
  readonly isLocked?: IsLocked
}

/** The administration API, to be put on the administration listener: one file per section of the catalogue (cloud-connector.md §8). */
export function createAdministrationRoutes(given: AdministrationOptions): (server: FastifyInstance) => void {
  // What is configured is changed by a master. The role, alerts, mail and logs are what either instance may be told.
  const options = { ...given, editor: createMasterEditor(given.editor) }
  const { access, editor, pair } = options
  const { lifecycle } = options
  const availability = createAvailability()
  const accessControl: AccessControlOptions = {
    editor,
    clock: options.clock,
    isLocked: options.isLocked ?? (() => false),
    onSaved(key, mapping) {
      // Nobody waits for it, and it ends by its own deadlines.
      const never = new AbortController().signal
      void availability.check(mapping, () => lifecycle.checkBackend(findSubaccount(editor.document, key), mapping, never))
    },
  }
  const routes = [
    ...connectorBasics(options, given.editor),
    ...regions(editor),
    ...connectivity(editor),
    ...tunnelViews(editor, options.lifecycle),
    ...subaccounts({ ...accessControl, lifecycle: options.lifecycle }),
    ...subaccountTrust({ ...accessControl, lifecycle: options.lifecycle }),
    ...onPremisesCertificates.flatMap((place) => ownedCertificateRoutes(place, slotOf(place, options))),
    ...backendTrust(editor),
    ...principalPropagation(options),
    ...kerberos(options),
    ...reporting(given.editor),
    ...ofOneInstance([...sessionRoutes(options), ...authentication(options)]),
    // What a restore changes counts from the next start on.
    ...ofOneInstance(backup({ ...options, ...options.backup })),
    ...systemMappings(accessControl),
    ...resources(accessControl),
    ...authorityLists(accessControl),
    ...domainMappings(accessControl),
    ...transfer(accessControl),
    ...subaccountTransfer(accessControl),
    ...ofOneInstance([...availabilityRoutes(accessControl, { availability, lifecycle }), ...simulation(options)]),
    ...serviceChannels({ ...accessControl, lifecycle: options.lifecycle }),
    ...deprecatedChannels({ ...accessControl, lifecycle: options.lifecycle }),
    // What is logged and traced is a matter of each instance, and a shadow has settings of its host agent.
    ...ofOneInstance(logAndTrace({ ...options, editor: given.editor })),
    ...housekeeping({
      ...options,
      editor: given.editor,
      audit: createInstallationAudit(options.backup.audit, () => editor.document.reporting.auditLog.level),
    }),
    ...solutionManagement({ ...options, editor: given.editor }),
    ...ofOneInstance(ldapServers(options)),
    ...(pair === undefined ? [] : [...ofOneInstance(highAvailability({ pair, version: options.version })), ...pairCalls(pair)]),
    ...ofOneInstance(uiSettings(options)),
    ...securityStatus(options),
  ]
  const surroundings = {
    authenticate: access.authenticate,
    haRole: () => editor.document.connector.haRole,
    // What is acknowledged is in the audit log, whatever happens to this process.
    flushed: () => options.backup.audit.flushed(),
    confirm: async (what: string) => await pair?.confirm(what),
    sharedState: async () => (pair === undefined ? '' : await pair.sharedState()),
  }
  return (server) => serveRoutes(server, routes, surroundings)
}
