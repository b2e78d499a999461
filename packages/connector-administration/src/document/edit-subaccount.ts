import { notFound } from '../rest/rest-error.ts'
import type { AdministeredDocument } from './administered-document.ts'
import { type AdministeredSubaccount, isSubaccount, type SubaccountKey } from './administered-subaccount.ts'

/** The subaccount of a key. @throws RestError 404 with the text of the original. */
export function findSubaccount(document: AdministeredDocument, key: SubaccountKey): AdministeredSubaccount {
  const found = document.subaccounts.find((entry) => isSubaccount(entry, key))
  if (found === undefined) throw notFound(`Subaccount with value '${key.subaccount}@${key.regionHost}' does not exist`)
  return found
}

/** The document with one subaccount replaced by what `edit` makes of it. @throws RestError 404. */
export function editSubaccount(
  document: AdministeredDocument,
  key: SubaccountKey,
  edit: (entry: AdministeredSubaccount) => AdministeredSubaccount,
): AdministeredDocument {
  const before = findSubaccount(document, key)
  const after = edit(before)
  if (after === before) return document
  return { ...document, subaccounts: document.subaccounts.map((entry) => (entry === before ? after : entry)) }
}
