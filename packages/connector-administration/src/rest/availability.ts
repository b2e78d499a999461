import type { Reachability } from '@sallyport/cloud-connector'
import { findMapping } from '../document/edit-mapping.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import type { Availability } from '../subaccounts/availability.ts'
import type { SubaccountLifecycle } from '../subaccounts/subaccount-lifecycle.ts'
import { type Route, route } from './route.ts'
import { mappingKeyOf } from './subaccount-path.ts'
import type { AccessControlOptions } from './system-mappings.ts'

const path = '/api/private/v1/subaccounts/:regionHost/:subaccount/systemMappings/:virtual/availability'

/** Whether the backend of a mapping was reached, and checking it now (cloud-connector.md §2.9). The path is our own. */
export function availabilityRoutes(
  { editor }: Pick<AccessControlOptions, 'editor'>,
  { availability, lifecycle }: { readonly availability: Availability; readonly lifecycle: SubaccountLifecycle },
): readonly Route[] {
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle({ params }) {
        const key = mappingKeyOf(params)
        return { status: 200, body: render(availability.of(findMapping(findSubaccount(editor.document, key), key.virtual))) }
      },
    }),
    route({
      method: 'POST',
      path,
      permission: 'edit',
      async handle({ params, signal }) {
        const key = mappingKeyOf(params)
        const entry = findSubaccount(editor.document, key)
        const mapping = findMapping(entry, key.virtual)
        return { status: 200, body: render(await availability.check(mapping, () => lifecycle.checkBackend(entry, mapping, signal))) }
      },
    }),
  ]
}

function render(result: Reachability | undefined): unknown {
  if (result === undefined) return { state: 'NotChecked', checkedTimeStamp: 0, detail: '' }
  const { checkedAtMs, code, detail, reachable } = result
  return { state: reachable ? 'Reachable' : 'Unreachable', checkedTimeStamp: checkedAtMs, detail, ...(code === undefined ? {} : { code }) }
}
