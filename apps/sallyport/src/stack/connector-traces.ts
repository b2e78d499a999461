import { logSettingsSchema } from '@sallyport/admin-api'
import { type ConnectorTraces, openConnectorTraces, readTrafficPermission } from '@sallyport/cloud-connector'
import type { Logger } from '@sallyport/core'
import type { PartContext } from './part.ts'

/** Opens the traces of the connector below `connector/log` of the data folder. */
export function openTraces(
  { clock, configuration, folder }: Pick<PartContext, 'clock' | 'configuration' | 'folder'>,
  log: Logger,
): Promise<ConnectorTraces> {
  const { getgid, getuid } = process
  const runner = getuid === undefined || getgid === undefined ? undefined : { uid: getuid(), gid: getgid() }
  return openConnectorTraces({
    folder: folder.file('connector', 'log'),
    settings: configuration.connectorAdmin.traces ?? { log: logSettingsSchema.parse({}), traffic: [] },
    permission: () => readTrafficPermission(folder.file('connector', 'scc_config', 'writeHexDump'), runner),
    clock,
    log,
  })
}
