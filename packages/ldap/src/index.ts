/**
 * The protocol adapter for LDAP destinations, on ldapjs or ldapts: over any dial, in the clear, over LDAPS or with StartTLS.
 *
 * @example
 * await using client = await createLdapAdapter({ clock: systemClock }).connect(destination, { dial, credentials, signal, log })
 * for await (const entry of client.search({ filter: filterText`(uid=${uid})`, pageSize: 500 })) entry.attributes['mail']
 *
 * @packageDocumentation
 */
export { connect } from './connect.ts'
export { dnText, filterText } from './filter-text.ts'
export { createLdapAdapter, type LdapAdapterOptions, type LdapDriverName } from './ldap-adapter.ts'
export type { LdapChange, LdapClient, LdapExtendedResult, LdapOperationOptions, LdapValues } from './ldap-client.ts'
export type { LdapEntry } from './ldap-entry.ts'
export type { LdapSearch, LdapSearchOptions } from './search.ts'
export type { TlsOptions } from '@sallyport/stream'
