import { notFound } from '../rest/rest-error.ts'
import type { AdministeredDocument } from './administered-document.ts'
import type { AdministeredMapping, AdministeredResource } from './administered-mapping.ts'
import type { AdministeredSubaccount, SubaccountKey } from './administered-subaccount.ts'
import { editSubaccount } from './edit-subaccount.ts'

/** Names a mapping: `host:port` of the virtual side, as paths and messages have it. */
export interface MappingKey extends SubaccountKey {
  readonly virtual: string
}

/** `host:port` of the virtual side. */
export function virtualNameOf({ virtualHost, virtualPort }: Pick<AdministeredMapping, 'virtualHost' | 'virtualPort'>): string {
  return `${virtualHost}:${virtualPort}`
}

/** The mapping of a name; hosts are the same in any case. @throws RestError 404. */
export function findMapping(subaccount: AdministeredSubaccount, virtual: string): AdministeredMapping {
  const found = subaccount.systemMappings.find((mapping) => virtualNameOf(mapping).toLowerCase() === virtual.toLowerCase())
  if (found === undefined) throw notFound(`System mapping with value '${virtual}' does not exist`)
  return found
}

/** The resource of an id. @throws RestError 404. */
export function findResource(mapping: AdministeredMapping, id: string): AdministeredResource {
  const found = mapping.resources.find((resource) => resource.id === id)
  if (found === undefined) throw notFound(`Resource with value '${id}' does not exist`)
  return found
}

/** The document with one mapping replaced by what `edit` makes of it. @throws RestError 404. */
export function editMapping(
  document: AdministeredDocument,
  key: MappingKey,
  edit: (mapping: AdministeredMapping) => AdministeredMapping,
): AdministeredDocument {
  return editSubaccount(document, key, (entry) => {
    const before = findMapping(entry, key.virtual)
    const after = edit(before)
    if (after === before) return entry
    return { ...entry, systemMappings: entry.systemMappings.map((mapping) => (mapping === before ? after : mapping)) }
  })
}
