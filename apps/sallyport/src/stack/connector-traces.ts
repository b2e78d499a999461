import { logSettingsSchema } from '@sallyport/admin-api'
import {
  type ConnectorTraces,
  type MaterialStore,
  openConnectorTraces,
  readTrafficPermission,
  type TraceSettings,
} from '@sallyport/cloud-connector'
import { createDocumentStore, traceSettingsOf } from '@sallyport/connector-administration'
import { ConnectivityError, type Logger } from '@sallyport/core'
import type { Configuration } from '../configuration/configuration.ts'
import { version } from '../version.ts'
import type { PartContext } from './part.ts'

/** What the configuration file says about traces. */
export function filedTraceSettings({ connectorAdmin }: Pick<Configuration, 'connectorAdmin'>): TraceSettings {
  return connectorAdmin.traces ?? { log: logSettingsSchema.parse({}), traffic: [] }
}

/** What an administered installation says about traces. @throws ConnectivityError `CONFIGURATION_INVALID` when the file says it as well. */
export async function administeredTraceSettings(
  { connectorAdmin, path }: Pick<Configuration, 'connectorAdmin' | 'path'>,
  material: MaterialStore,
): Promise<TraceSettings> {
  if (connectorAdmin.traces !== undefined)
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `${path}: connectorAdmin.traces: traces are administered, because the file names no connectors; set them with PATCH /api/v1/configuration/connector/logAndTrace`,
    )
  return traceSettingsOf(await createDocumentStore(material, version).load())
}

/** Opens the traces of the connector below `connector/log` of the data folder. */
export function openTraces(
  { clock, folder }: Pick<PartContext, 'clock' | 'folder'>,
  settings: TraceSettings,
  log: Logger,
): Promise<ConnectorTraces> {
  const { getgid, getuid } = process
  const runner = getuid === undefined || getgid === undefined ? undefined : { uid: getuid(), gid: getgid() }
  return openConnectorTraces({
    folder: folder.file('connector', 'log'),
    settings,
    permission: () => readTrafficPermission(folder.file('connector', 'scc_config', 'writeHexDump'), runner),
    clock,
    log,
  })
}
