import type { ConfigurationProblem } from '@sallyport/admin-api'
import type { AdministeredDocument } from './administered-document.ts'
import { virtualNameOf } from './edit-mapping.ts'

/** What administrators call the parts of a connector that have no name of their own. */
const parts: Readonly<Record<string, string>> = {
  backendTrust: 'trust store of back ends',
  cookieDomains: 'cookie domains',
  kerberos: 'Kerberos',
  locationId: 'location ID',
  principalPropagation: 'principal propagation',
  systemCertificate: 'system certificate',
}

/** A problem with what the document means for the connector, in the words of whoever administers it: nobody sees a file with places in it. */
export function explainProblem({ message, path }: ConfigurationProblem, { subaccounts }: AdministeredDocument): string {
  const [, subaccount, part = '', at] = path
  const entry = subaccounts[Number(subaccount)]
  if (entry === undefined) return message
  const of = subaccounts.length > 1 ? ` of ${entry.subaccount}` : ''
  const mapping = part === 'mappings' ? entry.systemMappings[Number(at)] : undefined
  if (mapping !== undefined) return `mapping ${virtualNameOf(mapping)}${of}: ${message}`
  const channel = part === 'channels' ? entry.channels[Number(at)] : undefined
  if (channel !== undefined) return `service channel ${channel.id}${of}: ${message}`
  if (part === 'principalPropagation' && at === 'rules') return `subject rule ${path[4]}: ${message}`
  return parts[part] === undefined ? message : `${parts[part]}: ${message}`
}
