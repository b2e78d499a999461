import { ConnectivityError } from '@sallyport/core'
import { askControl } from '../control/control-client.ts'
import { readControlRecords } from '../control/control-record.ts'
import { type ConnectorReport, nextWithoutConnector } from '../stack/connector-report.ts'
import type { DataFolder } from '../stack/data-folder.ts'

/** How the connectors of the running processes are doing. @throws ConnectivityError that says what to start or to configure when there is none. */
export async function readConnectorReports(folder: DataFolder): Promise<readonly ConnectorReport[]> {
  const reports: ConnectorReport[] = []
  let running = 0
  for (const record of await readControlRecords(folder)) {
    if (!/^dev$|connector/.test(record.name)) continue
    running++
    reports.push(...(await askControl<{ connectors: readonly ConnectorReport[] }>(record, 'connector-status')).connectors)
  }
  if (reports.length === 0 && running > 0)
    throw new ConnectivityError('CONFIGURATION_INVALID', 'a connector process is running, but it has no subaccount', {
      details: { next: nextWithoutConnector },
    })
  if (reports.length === 0)
    throw new ConnectivityError('SERVICE_UNAVAILABLE', `no connector is running with the data in ${folder.path}`, {
      details: { next: 'sallyport serve connector --config connector.yaml' },
    })
  return reports
}
