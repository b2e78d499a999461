import type { CloudConnector, LinkStatus } from '@sallyport/cloud-connector'
import { forbidden } from '../rest/rest-error.ts'
import { type AdministeredDocument, administeredDocumentSchema } from './administered-document.ts'
import { type AdministeredSubaccount, administeredSubaccountSchema } from './administered-subaccount.ts'
import type { ConfigurationEditor } from './configuration-editor.ts'
import { readMappingEntry } from './read-mapping-entry.ts'
import { regionHostOf } from './region-host.ts'

/**
 * Shows what a configuration file says, and refuses to change it. What the file has no word for has its default; mappings are as old as the process, because a
 * file does not say when they were made.
 */
export function createFileEditor(options: {
  readonly connector: Pick<CloudConnector, 'status'>
  /** Of the configuration. */
  readonly file: string
  /** When the process began. */
  readonly startedAtMs: number
}): ConfigurationEditor {
  const { connector, file, startedAtMs } = options
  return {
    configuredBy: file,
    get document(): AdministeredDocument {
      const { configuration, links } = connector.status
      const empty = administeredDocumentSchema.parse({ revision: configuration.revision, connector: { haRole: 'master' } })
      return { ...empty, subaccounts: links.map((link) => readLink(link, startedAtMs)) }
    },
    change() {
      return Promise.reject(forbidden(`the connector is configured by ${file}; change that file, or remove "connectors" from it`))
    },
    onChange: () => () => {},
  }
}

function readLink(
  { channels, description, entry, locationId, subaccount, tunnelEndpoint }: LinkStatus,
  createdAtMs: number,
): AdministeredSubaccount {
  const settings = administeredSubaccountSchema.parse({
    regionHost: regionHostOf(tunnelEndpoint),
    subaccount,
    locationId,
    description,
    displayName: subaccount,
    autoCertRenewal: true,
    trust: entry.trust,
    domainMappings: entry.cookieDomains.map(({ internal, virtual }) => ({ virtualDomain: virtual, internalDomain: internal })),
    channels: channels.map(({ entry: channel, id }) => ({ ...channel, id })),
  })
  return { ...settings, systemMappings: entry.mappings.map((mapping) => readMappingEntry(mapping, createdAtMs)) }
}
