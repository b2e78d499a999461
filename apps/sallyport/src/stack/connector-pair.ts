import {
  callPeer,
  type ConfigurationEditor,
  createInstallation,
  createPair,
  openHaSettings,
  type Pair,
} from '@sallyport/connector-administration'
import type { CloudConnector, MaterialStore } from '@sallyport/cloud-connector'
import type { AuditSink, Clock, Logger } from '@sallyport/core'
import { version } from '../version.ts'

/** This side of a pair of connectors, and where the other one finds it. It follows every change of the configuration. */
export async function openConnectorPair(options: {
  readonly editor: ConfigurationEditor
  readonly connector: CloudConnector
  readonly material: MaterialStore
  readonly own: () => { readonly port: number; readonly certificate: string }
  readonly audit: Pick<AuditSink, 'write'>
  readonly clock: Clock
  readonly log: Logger
}): Promise<Pair> {
  const { audit, clock, connector, editor, log, material, own } = options
  const pair = createPair({
    store: await openHaSettings(material),
    installation: createInstallation({ editor, connector, material, version }),
    own,
    callPeer,
    clock,
    log,
    audit,
    // The pair logs by itself, and what lasts is among the alerts.
    notice: () => {},
  })
  editor.onChange(() => pair.configurationChanged())
  return pair
}
