import { ConnectivityError } from '@sallyport/core'
import { askControl } from '../control/control-client.ts'
import { readControlRecords } from '../control/control-record.ts'
import type { ConnectorReport } from '../stack/connector-report.ts'
import type { DataFolder } from '../stack/data-folder.ts'
import { serviceOf } from '../systemd/state-owner.ts'

/** How the tunnels of the running processes are doing; none without subaccounts. @throws ConnectivityError that says what to start when no connector runs. */
export async function readConnectorReports(folder: DataFolder): Promise<readonly ConnectorReport[]> {
  const reports: ConnectorReport[] = []
  let running = 0
  for (const record of await readControlRecords(folder)) {
    if (!/^dev$|connector/.test(record.name)) continue
    running++
    reports.push(...(await askControl<{ connectors: readonly ConnectorReport[] }>(record, 'connector-status')).connectors)
  }
  if (running === 0)
    throw new ConnectivityError('SERVICE_UNAVAILABLE', `no connector is running with the data in ${folder.path}`, {
      details: { next: startOf(folder) },
    })
  return reports
}

/** What starts the connector of a folder. */
export function startOf(folder: DataFolder): string {
  const service = serviceOf(folder)
  return service === undefined ? 'sallyport serve connector' : `systemctl start ${service}`
}
