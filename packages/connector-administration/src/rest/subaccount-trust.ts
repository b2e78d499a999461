import type { LinkStatus, TrustedIssuerStatus } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { z } from 'zod'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import { invalidRequest, notFound, RestError } from './rest-error.ts'
import { type Call, type Route, route } from './route.ts'
import { requireChangeable, subaccountKeyOf, subaccountPath } from './subaccount-path.ts'
import type { SubaccountsOptions } from './subaccounts.ts'
import { tolerantBoolean } from './tolerant-values.ts'

/** Which token issuers a subaccount's users may come from (cloud-connector.md §8.8). Applications are not told to connectors by our cloud side, so there are none. */
export function subaccountTrust({ editor, isLocked, lifecycle }: SubaccountsOptions): readonly Route[] {
  const path = `${subaccountPath}/trust`
  const linkOf = ({ params }: Pick<Call<unknown>, 'params'>): LinkStatus | undefined =>
    lifecycle.linkOf(findSubaccount(editor.document, subaccountKeyOf(params)))
  const issuerOf = (call: Call<unknown>): TrustedIssuerStatus => {
    const id = call.params['id'] ?? ''
    const found = linkOf(call)?.trust.issuers.find((issuer) => String(issuer.id) === id)
    if (found === undefined) throw notFound(`Identity provider with value '${id}' does not exist`)
    return found
  }
  const noApplication = ({ params }: Call<unknown>): never => {
    findSubaccount(editor.document, subaccountKeyOf(params))
    throw notFound(`Application with value '${params['id']}' does not exist`)
  }
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: ({ params }) => ({
        status: 200,
        body: { autoSyncTrustEnabled: findSubaccount(editor.document, subaccountKeyOf(params)).trust.automatic },
      }),
    }),
    route({
      method: 'PUT',
      path,
      permission: 'edit',
      only: 'master',
      body: z.object({ autoSyncTrustEnabled: tolerantBoolean }),
      async handle(call) {
        const { caller, params } = call
        const automatic = call.body.autoSyncTrustEnabled
        const key = subaccountKeyOf(params)
        // There is something to keep up to date only after the first synchronisation.
        if (automatic && (linkOf(call)?.trust.issuers.length ?? 0) === 0)
          throw invalidRequest('the subaccount has no trust configuration yet; synchronise it first')
        await editor.change(caller.user, (document) => {
          requireChangeable(document, key, caller, isLocked)
          return editSubaccount(document, key, (entry) => ({ ...entry, trust: { ...entry.trust, automatic } }))
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        const entry = requireChangeable(editor.document, subaccountKeyOf(call.params), call.caller, isLocked)
        await lifecycle.synchroniseTrust(call.caller.user, entry).catch((error: unknown) => {
          throw ConnectivityError.is(error)
            ? new RestError(500, 'RUNTIME_FAILURE', `the trust list was not fetched: ${error.message}`)
            : error
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: `${path}/idps`,
      permission: 'all',
      handle: (call) => ({ status: 200, body: (linkOf(call)?.trust.issuers ?? []).map(renderIssuer) }),
    }),
    route({
      method: 'GET',
      path: `${path}/idps/:id`,
      permission: 'edit',
      handle: (call) => ({ status: 200, body: renderIssuer(issuerOf(call)) }),
    }),
    route({
      method: 'PUT',
      path: `${path}/idps/:id`,
      permission: 'edit',
      only: 'master',
      body: z.object({ enabled: tolerantBoolean }),
      async handle(call) {
        const { issuer } = issuerOf(call)
        const key = subaccountKeyOf(call.params)
        await editor.change(call.caller.user, (document) => {
          requireChangeable(document, key, call.caller, isLocked)
          return editSubaccount(document, key, (entry) => {
            const others = entry.trust.untrustedIssuers.filter((name) => name !== issuer)
            if (!call.body.enabled && others.length >= 1000) throw invalidRequest('1000 issuers are distrusted already')
            return { ...entry, trust: { ...entry.trust, untrustedIssuers: call.body.enabled ? others : [...others, issuer] } }
          })
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: `${path}/apps`,
      permission: 'all',
      handle({ params }) {
        findSubaccount(editor.document, subaccountKeyOf(params))
        return { status: 200, body: [] }
      },
    }),
    route({ method: 'GET', path: `${path}/apps/:id`, permission: 'edit', handle: noApplication }),
    route({ method: 'PUT', path: `${path}/apps/:id`, permission: 'edit', only: 'master', handle: noApplication }),
  ]
}

function renderIssuer({ description, id, issuer, name, trusted }: TrustedIssuerStatus): unknown {
  return { id: String(id), name: name || issuer, description, enabled: trusted }
}
