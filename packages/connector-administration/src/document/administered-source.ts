import type { ConfigurationSource } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import type { AdministeredDocument } from './administered-document.ts'
import { namedServicesOf, toMappingEntry } from './administered-mapping.ts'
import type { AdministeredSubaccount } from './administered-subaccount.ts'

/** The document as a source of configuration for the connector, which reads it whenever it is told to reload. */
export function createAdministeredSource(current: () => AdministeredDocument): ConfigurationSource {
  return {
    name: 'administration',
    read: async () => JSON.stringify(renderConnectors(current())),
    readFile(reference) {
      return Promise.reject(new ConnectivityError('CONFIGURATION_INVALID', `the administered configuration has no part "${reference}"`))
    },
    // Whoever changes the document tells the connector, with the name of the user who changed it.
    watch: () => () => {},
  }
}

/** What the document means for the connector, in the form of the configuration file. */
export function renderConnectors(document: AdministeredDocument): { readonly version: 1; readonly connectors: readonly unknown[] } {
  return { version: 1, connectors: document.subaccounts.map(toConnectorEntry) }
}

function toConnectorEntry(entry: AdministeredSubaccount): unknown {
  return {
    subaccount: entry.subaccount,
    locationId: entry.locationId,
    description: entry.description,
    services: namedServicesOf(entry.systemMappings),
    mappings: entry.systemMappings.map(toMappingEntry),
    cookieDomains: entry.domainMappings.map(({ internalDomain, virtualDomain }) => ({ virtual: virtualDomain, internal: internalDomain })),
  }
}
