import type { X509Certificate } from 'node:crypto'
import type { ConnectorEntry } from '@sallyport/admin-api'
import type { RouteHop } from '@sallyport/rfc-wire'
import type { MappingTable } from './access-control/mapping-table.ts'
import type { BackendTls } from './backend/backend-trust.ts'
import type { CookieDomains } from './http/cookie-domains.ts'
import type { KerberosTickets } from './kerberos/kerberos-tickets.ts'
import type { PrincipalHandling } from './principal/principal-handling.ts'

/** Everything that decides about requests, as one immutable value: a reload makes a new one, and requests under way keep theirs. */
export interface ConnectorState {
  readonly revision: number
  readonly entry: ConnectorEntry
  readonly table: MappingTable
  readonly cookies: CookieDomains
  readonly auditLevel: ConnectorEntry['audit']['level']
  readonly tls: BackendTls
  readonly principals: PrincipalHandling
  /** For mappings with principal type Kerberos; without settings there are none. */
  readonly kerberos: KerberosTickets | undefined
  /** Owned ones, for monitoring. */
  readonly certificates: { readonly system: X509Certificate | undefined; readonly ca: X509Certificate | undefined }
  /** SAProuters that mappings name by a file. */
  readonly routes: ReadonlyMap<string, readonly RouteHop[]>
  readonly connectTimeoutMs: number
  readonly responseTimeoutMs: number
}
