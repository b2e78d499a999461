import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import type { SubaccountLifecycle } from '../subaccounts/subaccount-lifecycle.ts'
import { viewTunnel } from '../subaccounts/tunnel-state.ts'
import { type Route, route } from './route.ts'
import { subaccountKeyOf } from './subaccount-path.ts'

/** Why a tunnel is not open. The pages show it; the REST API of the original has no place for it, so the path is our own. */
export function tunnelViews(editor: ConfigurationEditor, lifecycle: SubaccountLifecycle): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/private/v1/subaccounts/:regionHost/:subaccount/tunnel',
      permission: 'all',
      handle({ params }) {
        const { cause, connectedSinceMs, state } = viewTunnel(lifecycle.linkOf(findSubaccount(editor.document, subaccountKeyOf(params))))
        return { status: 200, body: { state, connectedSinceTimeStamp: connectedSinceMs, cause: cause ?? null } }
      },
    }),
  ]
}
