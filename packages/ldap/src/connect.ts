import { type Connect, createConnect } from '@sallyport/destination-client/connect'
import { createLdapAdapter, type LdapAdapterOptions } from './ldap-adapter.ts'
import type { LdapClient } from './ldap-client.ts'

/** Connects to a destination of type LDAP by its name; bindings, tokens and the way come from the environment. */
export const connect: Connect<Omit<LdapAdapterOptions, 'clock'>, LdapClient> = createConnect('LDAP', ({ tls }, options, clock) =>
  createLdapAdapter({ tls, ...options, clock }),
)
