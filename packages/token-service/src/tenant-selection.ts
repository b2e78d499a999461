import { maxNameLength } from './limits.ts'
import type { ClientDirectory, OAuthClient } from './oauth-client.ts'
import type { RequestParameters } from './request-parameters.ts'
import type { ResolvedAddress } from './service-address.ts'
import type { Tenant, TenantDirectory } from './tenant.ts'
import { refusal } from './token-errors.ts'

/** The places in a request that may name a tenant. */
export interface TenantHints {
  readonly zidHeader: string | undefined
  readonly host: string | undefined
  readonly parameters: RequestParameters
}

/**
 * The tenant that a request names: header `x-zid`, else the first label of the host name, else parameter `zid` or `app_tid`. `undefined` when it names none.
 *
 * @throws ConnectivityError, see {@link refusal}: 404 when it names one that does not exist. There is no falling back to another.
 */
export async function namedTenant(
  hints: TenantHints,
  { tenants, address }: { readonly tenants: TenantDirectory; readonly address: ResolvedAddress },
): Promise<Tenant | undefined> {
  const byId = async (id: string): Promise<Tenant> => known(id.length > maxNameLength ? undefined : await tenants.findById(id))
  if (hints.zidHeader !== undefined && hints.zidHeader !== '') return byId(hints.zidHeader)
  const host = address.tenantOf(hints.host)
  if (host.kind === 'unknown') throw refusal(404, 'tenant_not_found', 'No tenant has this host name')
  if (host.kind === 'subdomain') return known(await tenants.findBySubdomain(host.subdomain))
  // `@sap/xssec` 3 writes "undefined" where its caller names no tenant.
  const appTid = hints.parameters.get('app_tid')
  const parameter = hints.parameters.get('zid') ?? (appTid === 'undefined' ? undefined : appTid)
  return parameter === undefined ? undefined : byId(parameter)
}

/**
 * Lets a client act for a tenant: its own, or one that has subscribed to it. `named` is `undefined` when the request left it open.
 *
 * @throws ConnectivityError, see {@link refusal}: 401 `unauthorized_client` for a tenant that has not subscribed.
 */
export async function admittedTenant(
  client: OAuthClient,
  named: Tenant | undefined,
  { tenants, clients }: { readonly tenants: TenantDirectory; readonly clients: ClientDirectory },
): Promise<Tenant> {
  if (named === undefined) return known(await tenants.findById(client.tenantId))
  if (named.id !== client.tenantId && !(await clients.isSubscribed(client.id, named.id))) {
    throw refusal(401, 'unauthorized_client', 'The tenant has not subscribed to the application of this client')
  }
  return named
}

function known(tenant: Tenant | undefined): Tenant {
  if (tenant === undefined) throw refusal(404, 'tenant_not_found', 'There is no such tenant')
  return tenant
}
