/** A subaccount as the token service knows it. */
export interface Tenant {
  /** Claim `zid` of every token; usually a GUID. */
  readonly id: string
  /** First label of the tenant's host name, lower case. */
  readonly subdomain: string
}

/** Finds tenants. Implementations never answer with a tenant other than the one asked for. */
export interface TenantDirectory {
  findById(id: string): Promise<Tenant | undefined>
  findBySubdomain(subdomain: string): Promise<Tenant | undefined>
}
