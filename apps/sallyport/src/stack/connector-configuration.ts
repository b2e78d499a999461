import {
  type CloudConnector,
  type CloudConnectorOptions,
  type ConfigurationSource,
  type ConnectorTraces,
  createConfigurationFile,
  type MaterialStore,
} from '@sallyport/cloud-connector'
import {
  type ConfigurationEditor,
  createAdministeredSource,
  createDocumentStore,
  createFileEditor,
  isWantedBy,
  type ProxySettings,
  renewalPolicyOf,
  openConfigurationEditor,
  traceSettingsOf,
  withTraceSettings,
} from '@sallyport/connector-administration'
import { type AuditSink, ConnectivityError, type Logger } from '@sallyport/core'
import type { ConfigurationFile } from '../configuration/schema.ts'
import { version } from '../version.ts'
import type { PartContext } from './part.ts'

/** Top-level keys of the configuration file that belong to the cloud side and to the commands. */
const otherKeys = Object.keys({
  subaccounts: true,
  roleCollections: true,
  identityServices: true,
  identityProviders: true,
  instances: true,
  server: true,
  storage: true,
  connectorAdmin: true,
  demo: true,
  strict: true,
} satisfies Record<Exclude<keyof ConfigurationFile, 'version' | 'connectors'>, true>)

/** Where the connector's configuration comes from, and who may change it. */
export interface ConnectorConfiguration {
  readonly source: ConfigurationSource
  readonly otherKeys: readonly string[]
  /** Which tunnels are meant to be open, and how often a lost one is tried; without it all of them, for ever. */
  readonly tunnels?: Required<Pick<CloudConnectorOptions, 'isWanted' | 'maxReconnectAttempts' | 'renewal'>>
  /** Physical connections that a tunnel has at least. */
  readonly lanes: () => number
  /** Whether every call leaves a statistical record. */
  writesStatistics(): boolean
  /** On the way to the cloud side, at the moment. */
  proxy(): ProxySettings | undefined
  /** What the administration API shows and changes; to be opened before the connector starts. */
  openEditor(connector: CloudConnector): Promise<ConfigurationEditor>
}

/** Whether administrators configure the connector at run time: a configuration file that names connectors decides alone. */
export function isAdministered({ configuration }: Pick<PartContext, 'configuration'>): boolean {
  return configuration.connectors.length === 0
}

/** The configuration of an administered installation: a document among its sealed material. */
export function createAdministeredConfiguration(options: {
  readonly material: MaterialStore
  readonly audit: Pick<AuditSink, 'write'>
  /** Take over what the document says about them. */
  readonly traces: Pick<ConnectorTraces, 'apply' | 'settings'>
  readonly log: Logger
  /** Before the end of a certificate people are alerted; a week earlier it is renewed. */
  readonly alertDays: number
}): ConnectorConfiguration {
  const { alertDays, audit, log, material, traces } = options
  let editor: ConfigurationEditor | undefined
  const current = (): ConfigurationEditor['document'] => {
    if (editor === undefined) throw new ConnectivityError('SERVICE_UNAVAILABLE', 'the configuration of the connector is not open yet')
    return editor.document
  }
  return {
    source: createAdministeredSource(current),
    otherKeys: [],
    lanes: () => 1 + current().connectivity.applicationTunnelConnections,
    proxy: () => current().connector.proxy,
    writesStatistics: () => current().solutionManagement.isEnabled && current().solutionManagement.dsrEnabled,
    tunnels: {
      isWanted: (holder) => isWantedBy(current(), holder),
      maxReconnectAttempts: () => current().connectivity.maxReconnectAttempts,
      renewal: (holder) => renewalPolicyOf(current(), holder, alertDays),
    },
    async openEditor(connector) {
      editor = await openConfigurationEditor({
        store: createDocumentStore(material, version),
        async takeOver(user) {
          await traces.apply(traceSettingsOf(current()))
          // Before its start it has nothing to give up, and reads the document then.
          if (connector.running) await connector.reload(user)
        },
        audit,
        log,
      })
      // What may not be traced is off since the start, so that it does not come back with the next change of something else.
      await editor.change('startup', (document) => withTraceSettings(document, traces.settings))
      return editor
    },
  }
}

/** The configuration that stands in the file alone. */
export function createFiledConfiguration({ clock, configuration }: Pick<PartContext, 'clock' | 'configuration'>): ConnectorConfiguration {
  const { path: file } = configuration
  const source = createConfigurationFile({ file, clock })
  return {
    source: {
      ...source,
      // The start has read it, and what is large takes seconds to parse.
      async read() {
        const text = await source.read()
        return text === configuration.text ? configuration : text
      },
    },
    otherKeys,
    lanes: () => 0,
    proxy: () => undefined,
    writesStatistics: () => false,
    openEditor: async (connector) => createFileEditor({ connector, file, startedAtMs: clock.now() }),
  }
}
