import { join } from 'node:path'
import {
  createAdminListener,
  createAuditLog,
  createCloudConnector,
  createMachineProbe,
  type ConnectorIdentity,
  loadIdentities,
  pairConnector,
  saveIdentity,
} from '@sallyport/cloud-connector'
import {
  type AdministrationOptions,
  adoptIdentities,
  applyPendingRestore,
  createAdministrationRoutes,
  createAdmitMonitoring,
  createDocumentStore,
  createInstallationAudit,
  createSubaccountLifecycle,
  createWayToCloud,
  pairProbe,
  removeAbandonedIdentities,
  renewGeneratedCertificates,
  type OwnedCertificate,
} from '@sallyport/connector-administration'
import { type AuditSink, ConnectivityError } from '@sallyport/core'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { version } from '../version.ts'
import { partLog, subaccountsOf } from './cloud-settings.ts'
import { initialPasswordFileOf, openConnectorAccess } from './connector-access.ts'
import { administeredAlertSettings, alertSettingsOf } from './connector-alert-settings.ts'
import { createAdministeredConfiguration, createFiledConfiguration, isAdministered } from './connector-configuration.ts'
import { type ConnectorMaterial, openConnectorMaterial } from './connector-material.ts'
import { administeredTraceSettings, filedTraceSettings, openTraces } from './connector-traces.ts'
import { type ConnectorWatch, startConnectorWatch } from './connector-watch.ts'
import { openConnectorPair } from './connector-pair.ts'
import { describeTunnel, reportOf } from './connector-report.ts'
import { sessionControl } from './connector-session.ts'
import { createHostAgent } from './host-agent.ts'
import { createRuntimeSettings, startOptionsFile } from './start-options.ts'
import { localNames, openAuthority } from './local-authority.ts'
import type { PartContext, RunningPart } from './part.ts'
import { requireFreePorts } from './ports.ts'

/** Where a connector of the local stack gets its pairing code from. */
export interface AutomaticPairing {
  readonly apiUrl: string
  /** Where its tunnels go now; an identity from a start with other ports is made anew. */
  readonly tunnelEndpoint: string
  /** PEM of the authority that signed the connectivity service. */
  readonly authority: string
  createPairingCode(subaccount: string): Promise<string>
}

/** Starts the connectors of the configuration that have been paired; in the local stack they are paired on the way. */
export async function startConnectorPart(
  context: PartContext,
  options: { readonly pairing?: AutomaticPairing; readonly compatDefaultPassword?: boolean } = {},
): Promise<RunningPart> {
  const { configuration, folder, clock, events } = context
  const adminPort = configuration.connectorAdmin.port ?? context.ports.connectorAdmin
  const adminHost = configuration.connectorAdmin.host
  await requireFreePorts(adminHost, [adminPort])
  const material = openConnectorMaterial(folder)
  const administered = isAdministered(context)
  const isRestored = administered && (await applyPendingRestore(material.store))
  const settingsOfTraces = administered ? await administeredTraceSettings(configuration, material.store) : filedTraceSettings(configuration)
  const traces = await openTraces(context, settingsOfTraces, partLog(context.log, 'connector'))
  const { log } = traces
  const audit = createAuditLog({ folder: material.auditFolder, key: material.auditKey, clock, log })
  if (isRestored) log.info({}, 'the configuration was restored from a backup')
  const configured = administered
    ? createAdministeredConfiguration({
        material: material.store,
        audit,
        traces,
        log,
        alertDays: alertSettingsOf(configuration).alerting.thresholds.certificateValidityDays,
      })
    : createFiledConfiguration(context)
  const corrupted: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>[] = []
  const identities = administered
    ? await removeAbandonedIdentities(
        { material: material.store, store: createDocumentStore(material.store, version) },
        await loadIdentities(material.store, (holder) => {
          corrupted.push(holder)
          log.error({ ...holder }, 'the certificate of a subaccount was tampered with and is not used; renew it, or remove the subaccount')
        }),
      )
    : await pairedIdentities(context, material, options.pairing)
  const openWay = createWayToCloud(configured.proxy)
  const connector = createCloudConnector({
    traces,
    onRequest(holder, record) {
      if (configured.writesStatistics()) traces.recordRequest(holder, record)
    },
    configuration: configured.source,
    otherKeys: configured.otherKeys,
    ...configured.tunnels,
    identities,
    createTransport: (identity, lanes) =>
      createTlsTransport({
        clock,
        log,
        lanes: () => Math.max(lanes(), configured.lanes()),
        openSocket: openWay,
        client: () => {
          const { certificate, key, authorities } = identity()
          return { certificate, key, ca: authorities }
        },
      }),
    material: material.store,
    audit,
    clock,
    log,
    // The proxy tells the same facts about tunnels; in one process they must not stand twice.
    events: { wanted: events.wanted, emit: (event) => (event.type.startsWith('tunnel-') ? undefined : events.emit(event)) },
    agentVersion: version,
    kerberos: { folder: join(folder.path, 'connector', 'kerberos'), searchPath: process.env['PATH'] ?? '' },
  })
  const editor = await configured.openEditor(connector)
  const installationAudit = createInstallationAudit(audit, () => editor.document.reporting.auditLog.level)
  const access = await openConnectorAccess(context, {
    material,
    administered,
    compatDefaultPassword: options.compatDefaultPassword ?? false,
    ownCertificate: adminIdentity(context),
    audit: installationAudit,
    loginInformation: () => editor.document.loginInformation,
  })
  const isMaster = (): boolean => editor.document.connector.haRole === 'master'
  const isShadow = (): boolean => editor.document.connector.haRole === 'shadow'
  const fileSettings = administered ? undefined : alertSettingsOf(configuration)
  const settings =
    fileSettings === undefined ? administeredAlertSettings(configuration, () => editor.document.reporting) : () => fileSettings
  const retain = (): void => audit.retain?.('', editor.document.reporting.auditLog.cleanup)
  if (administered) {
    retain()
    editor.onChange(retain)
  }
  let watch: ConnectorWatch | undefined
  const watching = (): ConnectorWatch => {
    if (watch === undefined) throw new ConnectivityError('SERVICE_UNAVAILABLE', 'the connector is starting')
    return watch
  }
  let endRenewal = async (): Promise<void> => {}
  let port = 0
  const own = (): { readonly port: number; readonly certificate: string } => ({ port, certificate: access.tls().certificate })
  const pair = administered
    ? await openConnectorPair({ editor, connector, material: material.store, own, audit: installationAudit, clock, log })
    : undefined
  const admin = createAdminListener({
    monitoring: {
      connector,
      machine: createMachineProbe({ folder: folder.path }),
      hardware: () => watching().hardware.status,
      alerts: () => watching().health.alerts,
      certificateValidityDays: () => settings().alerting.thresholds.certificateValidityDays,
      now: clock.now,
    },
    tls: access.tls(),
    admit: createAdmitMonitoring(access.authenticate),
    routes: createAdministrationRoutes({
      editor,
      version,
      clock,
      access,
      leafKey: connector.leafKey,
      checkKerberos: connector.checkKerberos,
      traces,
      connectorId: material.connectorId,
      hostAgent: createHostAgent(),
      runtime: createRuntimeSettings(folder),
      lifecycle: createSubaccountLifecycle({
        editor,
        connector,
        material: material.store,
        connectorId: material.connectorId,
        openWay,
        corrupted,
      }),
      backup: backupOf(context, material, audit),
      pair,
    }),
    isMaster,
    log,
  })
  access.editor.onChange(() => admin.useTls(access.tls()))
  const close = async (graceMs: number): Promise<void> => {
    await endRenewal()
    await watch?.close()
    await pair?.[Symbol.asyncDispose]()
    await connector.stop({ graceMs })
    await admin.close()
    await audit.close()
    await traces.close()
  }
  try {
    await pair?.begin()
    await connector.start()
    if (administered) await adoptIdentities(editor, identities)
    watch = await startConnectorWatch({
      connector,
      folder: folder.path,
      material: material.store,
      settings,
      probes: pair === undefined ? [] : [pairProbe(pair, () => editor.document.connector.haRole)],
      uiCertificate: () => access.tls().certificate,
      isMaster,
      clock,
      log,
    })
    endRenewal = renewGeneratedCertificates({ access, editor, pair, clock, log })
    port = (await admin.listen({ host: adminHost, port: adminPort })).port
    const initialPassword = initialPasswordFileOf(context, access)
    log.info({ url: `https://localhost:${port}`, user: access.localUser.user.name, initialPassword }, 'the connector can be administered')
  } catch (error) {
    await close(0)
    throw error
  }
  return {
    role: 'connector',
    status: async () => {
      const { configuration: read, links } = connector.status
      const addresses = [`https://localhost:${port}`]
      const invalid = read.problem === undefined ? '' : '; the changed configuration is not valid'
      if (links.length === 0) return [{ part: 'connector', ready: true, addresses, detail: `administered, without subaccounts${invalid}` }]
      return links.map((link) => ({
        part: `connector ${link.locationId === '' ? '"default"' : `"${link.locationId}"`}`,
        // A shadow is ready without a tunnel: it stands by.
        ready: link.tunnel.kind === 'ready' || isShadow(),
        addresses,
        detail: `${isShadow() ? 'stands by as shadow' : link.tunnel.kind === 'ready' ? 'connected' : describeTunnel(link.tunnel)}, ${link.mappings} mappings${invalid}`,
      }))
    },
    controls: {
      'connector-session': sessionControl(access, () => ({ host: adminHost, port })),
      'connector-status': async () => ({
        connectors: connector.status.links.map((link) => reportOf(link, connector.status.configuration, { isShadow: isShadow() })),
      }),
    },
    close,
  }
}

/** What backups hold besides the configuration, and what follows a restore. */
function backupOf(
  { folder, restart }: PartContext,
  material: ConnectorMaterial,
  audit: Pick<AuditSink, 'flushed' | 'write'>,
): AdministrationOptions['backup'] {
  return {
    material: material.store,
    audit,
    startOptions: {
      read: async () => folder.read(...startOptionsFile),
      keepRestored: async (text) => folder.write(['connector', 'props.ini.restored'], text),
    },
    restart,
  }
}

/** The identities of the connectors that are configured. A missing one is paired now, or is an error that says how. */
async function pairedIdentities(
  context: PartContext,
  material: ConnectorMaterial,
  pairing: AutomaticPairing | undefined,
): Promise<readonly ConnectorIdentity[]> {
  const { configuration } = context
  const known = await loadIdentities(material.store)
  const identities: ConnectorIdentity[] = []
  for (const entry of configuration.connectors) {
    const found = known.find(
      ({ subaccount, locationId }) =>
        locationId === entry.locationId && (entry.subaccount === undefined || subaccount === entry.subaccount),
    )
    if (found !== undefined && (pairing === undefined || found.tunnelEndpoint === pairing.tunnelEndpoint)) {
      identities.push(found)
      continue
    }
    if (pairing === undefined) {
      throw new ConnectivityError(
        'CONFIGURATION_INVALID',
        `the connector with location ID "${entry.locationId}" has not been paired on this machine`,
        {
          details: {
            next: 'get a code on the cloud side with "sallyport connector code", then: sallyport connector init --server … --authority …',
          },
        },
      )
    }
    const subaccount = entry.subaccount ?? subaccountsOf(configuration)[0]?.id ?? ''
    const identity = await pairConnector({
      server: new URL(pairing.apiUrl),
      trust: { authorities: pairing.authority },
      code: await pairing.createPairingCode(subaccount),
      connectorId: material.connectorId,
      locationId: entry.locationId,
      description: entry.description,
    })
    await saveIdentity(material.store, identity)
    identities.push(identity)
  }
  return identities
}

/** The certificate that the administration shows as long as nobody has given it another. */
function adminIdentity(context: PartContext): OwnedCertificate {
  const authority = openAuthority(context.folder, context.clock, { name: 'ca', commonName: 'Sallyport Local CA' })
  return authority.identity('connector/admin', { subject: [{ type: 'CN', value: 'localhost' }], names: localNames() })
}
