import type { AdministeredDocument } from '../document/administered-document.ts'
import { invalidRequest } from './rest-error.ts'

/** What a landscape directory is told about this installation. */
export interface LandscapeRegistration {
  /** Of the administration, as the caller reaches it. */
  readonly address: string
  readonly connectorId: string
  readonly version: string
  readonly connector: Pick<AdministeredDocument['connector'], 'description' | 'haRole'>
  readonly subaccounts: readonly {
    readonly regionHost: string
    readonly subaccount: string
    readonly locationId: string
    readonly displayName: string
  }[]
}

/** The registration file. The schema of the original's is not public: names of elements are our own, and say what they hold. @throws RestError 400 for an `address` that is none. */
export function renderRegistration({ address, connector, connectorId, subaccounts, version }: LandscapeRegistration): string {
  const read = URL.parse(address)
  if (read === null) throw invalidRequest(`the header Host has to be the address of this installation; it makes ${address}`)
  const { hostname, port } = read
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<lmdbModel>',
    `  <cloudConnector${attributes({ id: connectorId, version, host: hostname, port: port || '443', role: connector.haRole, description: connector.description })}>`,
    ...subaccounts.map(
      ({ displayName, locationId, regionHost, subaccount }) =>
        `    <subaccount${attributes({ id: subaccount, regionHost, locationId, name: displayName })}/>`,
    ),
    '  </cloudConnector>',
    '</lmdbModel>',
    '',
  ].join('\n')
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('')
}

/** Characters that XML 1.0 cannot hold at all become spaces. */
function escapeXml(text: string): string {
  return text.replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, ' ').replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
