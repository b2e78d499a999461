import type { Duplex } from 'node:stream'
import type { WireEntry } from './ldap-message.ts'

/** One search request as the wire has it (RFC 4511 §4.5.1). */
interface SearchRequest {
  readonly base: string
  readonly scope: 'base' | 'one' | 'sub'
  readonly filter: string
  readonly attributes: readonly string[]
  readonly typesOnly: boolean
  /** 1..2147483647; the libraries take 0 for their own default. */
  readonly sizeLimit: number
  readonly timeLimitSeconds: number
  /** Paged results (RFC 2696); the cookie is empty for the first page. */
  readonly page: { readonly size: number; readonly cookie: Buffer } | undefined
}

/** One change of a modify request. */
interface DriverChange {
  readonly operation: 'add' | 'delete' | 'replace'
  readonly attribute: string
  readonly values: readonly Buffer[]
}

/**
 * A library on one connection. Requests come one after the other. A promise settles when the answer is complete, and may
 * reject for any result but success. The answer itself is read from the connection (see `LdapLink`).
 */
export interface LdapSession {
  bind(user: string, password: string): Promise<unknown>
  search(request: SearchRequest): Promise<unknown>
  add(dn: string, attributes: WireEntry['attributes']): Promise<unknown>
  modify(dn: string, changes: readonly DriverChange[]): Promise<unknown>
  modifyDn(dn: string, newDn: string): Promise<unknown>
  delete(dn: string): Promise<unknown>
  compare(dn: string, attribute: string, value: string): Promise<unknown>
  extended(oid: string, value: string | undefined): Promise<unknown>
}

/** Puts a library onto a stream that is connected. Whatever it makes for that ends with the stream. */
export type OpenSession = (stream: Duplex, signal: AbortSignal) => Promise<LdapSession>
