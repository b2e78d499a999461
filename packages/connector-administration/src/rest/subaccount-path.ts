import { forbidden, conflict } from './rest-error.ts'
import { type Caller, permits } from '../access/roles.ts'
import type { AdministeredDocument } from '../document/administered-document.ts'
import type { AdministeredSubaccount, SubaccountKey } from '../document/administered-subaccount.ts'
import { type MappingKey, virtualNameOf } from '../document/edit-mapping.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import { encodeResourceId } from './resource-id.ts'

/** Collection of all subaccounts. */
export const subaccountsPath = '/api/v1/configuration/subaccounts'
/** One subaccount, as a pattern. */
export const subaccountPath: string = `${subaccountsPath}/:regionHost/:subaccount`
/** One mapping, as a pattern. */
export const mappingPath: string = `${subaccountPath}/systemMappings/:virtual`

/** The subaccount that a path names. */
export function subaccountKeyOf(params: Readonly<Record<string, string>>): SubaccountKey {
  return { regionHost: params['regionHost'] ?? '', subaccount: params['subaccount'] ?? '' }
}

/** The mapping that a path names. */
export function mappingKeyOf(params: Readonly<Record<string, string>>): MappingKey {
  return { ...subaccountKeyOf(params), virtual: params['virtual'] ?? '' }
}

/** Path of a subaccount. */
export function pathOfSubaccount({ regionHost, subaccount }: SubaccountKey): string {
  return `${subaccountsPath}/${encodeURIComponent(regionHost)}/${encodeURIComponent(subaccount)}`
}

/** Path of a mapping; the colon stays one. */
export function pathOfMapping(key: SubaccountKey, mapping: { readonly virtualHost: string; readonly virtualPort: string }): string {
  return `${pathOfSubaccount(key)}/systemMappings/${encodeURIComponent(virtualNameOf(mapping)).replace('%3A', ':')}`
}

/** Path of a resource of a mapping. */
export function pathOfResource(
  key: SubaccountKey,
  mapping: { readonly virtualHost: string; readonly virtualPort: string },
  id: string,
): string {
  return `${pathOfMapping(key, mapping)}/resources/${encodeURIComponent(encodeResourceId(id)).replaceAll('%2B', '+')}`
}

/** Whether somebody else has a subaccount open in the pages, so that it must not change now. */
export type IsLocked = (key: SubaccountKey, caller: Caller) => boolean

/**
 * The subaccount that is going to be changed.
 *
 * @throws RestError 404 when there is none, 403 for a managed one and a caller who is no administrator, 409 while somebody else has it open.
 */
export function requireChangeable(
  document: AdministeredDocument,
  key: SubaccountKey,
  caller: Caller,
  isLocked: IsLocked,
): AdministeredSubaccount {
  const found = findSubaccount(document, key)
  if (found.isManaged && !permits('administrators', caller))
    throw forbidden(`the subaccount ${key.subaccount}@${key.regionHost} is managed; only administrators change it`)
  if (isLocked(key, caller)) throw conflict(`the subaccount ${key.subaccount}@${key.regionHost} is open in the pages of another user`)
  return found
}
