import { abortedError, type Clock, ConnectivityError, type LdapDestination, type ProtocolClient, type Secret } from '@sallyport/core'
import type { Connections } from './connections.ts'
import { exchange, type ExchangeOptions } from './exchange.ts'
import { closedError } from './ldap-errors.ts'
import type { LdapAnswer } from './ldap-link.ts'
import type { LdapSession } from './ldap-driver.ts'
import type { LdapUser } from './open-link.ts'
import { createSearch, type LdapSearch, type LdapSearchOptions } from './search.ts'

/** Values of attributes; text goes out as UTF-8. */
export type LdapValues = string | Buffer | readonly (string | Buffer)[]

/** One change of an entry. `delete` without values removes the attribute; `replace` without values does too. */
export interface LdapChange {
  readonly operation: 'add' | 'delete' | 'replace'
  readonly attribute: string
  readonly values?: LdapValues
}

/** How long an operation may take besides the limit of the destination. */
export interface LdapOperationOptions {
  readonly signal?: AbortSignal
}

/** What an extended operation answered. */
export interface LdapExtendedResult {
  readonly name: string | undefined
  readonly value: Buffer | undefined
}

/**
 * Operations on one directory. Each has a connection of its own while it runs, and connections are opened when they are
 * needed. What the server declines is a `ConnectivityError` with `resultCode`, `matchedDn`, `diagnosticMessage` and perhaps
 * `referrals` in its details. Nothing is repeated and no referral is followed.
 */
export interface LdapClient extends ProtocolClient {
  search(options?: LdapSearchOptions): LdapSearch
  add(dn: string, attributes: Readonly<Record<string, LdapValues>>, options?: LdapOperationOptions): Promise<void>
  modify(dn: string, changes: readonly LdapChange[], options?: LdapOperationOptions): Promise<void>
  /** Renames or moves: `newDn` is the whole new name. The old name is removed from the attributes. */
  modifyDn(dn: string, newDn: string, options?: LdapOperationOptions): Promise<void>
  delete(dn: string, options?: LdapOperationOptions): Promise<void>
  compare(dn: string, attribute: string, value: string, options?: LdapOperationOptions): Promise<boolean>
  /** Goes on as another user, on new connections. When the server refuses, the client stays who it was. */
  bind(dn: string, password: Secret, options?: LdapOperationOptions): Promise<void>
  /** Any extended operation but StartTLS, which the destination decides. */
  exop(oid: string, value?: string, options?: LdapOperationOptions): Promise<LdapExtendedResult>
  /** Closes what is open and goes on, when there is more to do, as the user of the destination. */
  unbind(): Promise<void>
}

/** What the adapter has decided before there is a client. */
export interface LdapClientDeps {
  readonly destination: LdapDestination
  readonly user: LdapUser | undefined
  readonly connections: Connections
  readonly clock: Clock
  readonly timeoutMs: number
  readonly isBinary: (name: string) => boolean
  /** Ends every connection and every wait when it fires. */
  readonly closed: AbortController
}

const startTlsOid = '1.3.6.1.4.1.1466.20037'
const compareResults = [5, 6]
const compareTrue = 6

/** Makes the client of one destination. */
export function createLdapClient({ destination, user, connections, clock, timeoutMs, isBinary, closed }: LdapClientDeps): LdapClient {
  const { name, baseDn } = destination
  const prepare = (what: string, signal?: AbortSignal): ExchangeOptions => {
    if (closed.signal.aborted) throw closedError(name)
    const either = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal])
    return { attempt: `${what} at destination "${name}"`, signal: either, clock, timeoutMs }
  }
  const request = async (options: ExchangeOptions, call: (session: LdapSession) => Promise<unknown>): Promise<LdapAnswer> => {
    if (options.signal.aborted) throw abortedError(options.signal, options.attempt)
    return connections.use(options.signal, ({ link, session }) => exchange(link, options, () => call(session)))
  }
  const operation = async (
    what: string,
    { signal }: LdapOperationOptions,
    call: (session: LdapSession) => Promise<unknown>,
    more: Partial<ExchangeOptions> = {},
  ): Promise<LdapAnswer> => request({ ...prepare(what, signal), ...more }, call)

  return {
    search: (options = {}) => createSearch(options, { connections, baseDn, isBinary, exchangeOptions: prepare('search', options.signal) }),
    async add(dn, attributes, options = {}) {
      const list = Object.entries(attributes).map(([attribute, values]) => [attribute, toBytes(values)] as const)
      await operation('add an entry', options, (session) => session.add(dn, list))
    },
    async modify(dn, changes, options = {}) {
      const list = changes.map((change) => ({ ...change, values: toBytes(change.values ?? []) }))
      await operation('modify an entry', options, (session) => session.modify(dn, list))
    },
    async modifyDn(dn, newDn, options = {}) {
      await operation('rename an entry', options, (session) => session.modifyDn(dn, newDn))
    },
    async delete(dn, options = {}) {
      await operation('delete an entry', options, (session) => session.delete(dn))
    },
    async compare(dn, attribute, value, options = {}) {
      const compare = (session: LdapSession): Promise<unknown> => session.compare(dn, attribute, value)
      return (await operation('compare', options, compare, { accept: compareResults })).resultCode === compareTrue
    },
    async bind(dn, password, { signal } = {}) {
      const { attempt, signal: either } = prepare('bind', signal)
      if (dn === '' || password.reveal() === '') {
        throw new ConnectivityError(
          'MESSAGE_INVALID',
          `${attempt}: without name or password that would be nobody, and succeed (RFC 4513 §5.1.2)`,
        )
      }
      if (either.aborted) throw abortedError(either, attempt)
      await connections.become({ dn, password }, either)
    },
    async exop(oid, value, options = {}) {
      const what = `extended operation ${oid}`
      if (oid === startTlsOid) throw new ConnectivityError('MESSAGE_INVALID', `${what}: set ldap.startTls in the destination`)
      const { responseName, responseValue } = await operation(what, options, (session) => session.extended(oid, value))
      return { name: responseName, value: responseValue }
    },
    async unbind() {
      connections.forget(user)
      await connections.closeIdle()
    },
    async ping(signal) {
      const root = { base: '', scope: 'base', filter: '(objectClass=*)', attributes: ['1.1'], typesOnly: true } as const
      const limits = { sizeLimit: 1, timeLimitSeconds: Math.ceil(timeoutMs / 1000), page: undefined }
      // Whatever the server says about its root, it says something.
      await operation('ping', { signal }, (session) => session.search({ ...root, ...limits }), { accept: 'any' })
    },
    async [Symbol.asyncDispose]() {
      closed.abort(closedError(name))
      await connections.closeIdle()
    },
  }
}

function toBytes(values: LdapValues): readonly Buffer[] {
  const list = typeof values === 'string' || Buffer.isBuffer(values) ? [values] : values
  return list.map((value) => (typeof value === 'string' ? Buffer.from(value, 'utf8') : value))
}
