import { ConnectivityError } from '@sallyport/core'
import type { Connections } from './connections.ts'
import { exchange, type ExchangeOptions } from './exchange.ts'
import { resultError } from './ldap-errors.ts'
import { type LdapEntry, toEntry } from './ldap-entry.ts'

/** What to look for, and how far. */
export interface LdapSearchOptions {
  /** Where to begin; the default is the base of the destination. */
  readonly base?: string
  /** The default is `sub`: the base and everything below. */
  readonly scope?: 'base' | 'one' | 'sub'
  /** RFC 4515; build it with `filterText` where it holds foreign text. The default is `(objectClass=*)`. */
  readonly filter?: string
  /** The default is all user attributes; `+` stands for the operational ones, `1.1` for none. */
  readonly attributes?: readonly string[]
  /** Names of attributes without their values. */
  readonly typesOnly?: boolean
  /** Asks for pages of so many entries (RFC 2696), one when the ones before have been taken. Without it the whole answer is one piece. */
  readonly pageSize?: number
  /** Entries at most. That there are more is an error after the last of them (`OPERATION_REFUSED`, result 4). */
  readonly sizeLimit?: number
  /** What the server may spend on one request, in seconds; the default is the time limit of the destination. */
  readonly timeLimitSeconds?: number
  readonly signal?: AbortSignal
}

/** The entries of a search, fetched while they are iterated. Breaking off is fine. One search can be iterated once. */
export interface LdapSearch extends AsyncIterable<LdapEntry> {
  /** URLs where the server says that there is more, as far as it has been iterated. They are not followed. */
  readonly references: readonly string[]
}

/** What a search shares with every other operation of its client. */
export interface SearchDeps {
  readonly connections: Connections
  readonly baseDn: string
  readonly isBinary: (name: string) => boolean
  readonly exchangeOptions: Omit<ExchangeOptions, 'accept' | 'secret' | 'tellCause'>
}

/** Zero stands for defaults of their own in both libraries; this is the largest that the standard knows, and as good as none. */
const noLimit = 2_147_483_647
const sizeLimitExceeded = 4

/** Begins with the first entry that is asked for. */
export function createSearch(options: LdapSearchOptions, deps: SearchDeps): LdapSearch {
  for (const name of ['pageSize', 'sizeLimit', 'timeLimitSeconds'] as const) {
    const value = options[name]
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= noLimit)) {
      throw new ConnectivityError('MESSAGE_INVALID', `${deps.exchangeOptions.attempt}: ${name} is not a whole number from 1`)
    }
  }
  const references: string[] = []
  let begun = false
  return {
    references,
    [Symbol.asyncIterator]() {
      if (begun) throw new ConnectivityError('MESSAGE_INVALID', `${deps.exchangeOptions.attempt}: this search has been iterated already`)
      begun = true
      return iterate(options, deps, references)
    },
  }
}

/**
 * A search in pages keeps its connection until it ends, because the server keeps its place there. Pages are taken whole, so
 * that a slow reader holds up no answer.
 */
async function* iterate(options: LdapSearchOptions, deps: SearchDeps, references: string[]): AsyncGenerator<LdapEntry> {
  const { attempt, signal } = deps.exchangeOptions
  let left = options.sizeLimit ?? noLimit
  const lease = await leaseConnection(deps.connections, signal)
  try {
    let cookie: Buffer = Buffer.alloc(0)
    do {
      const request = {
        base: options.base ?? deps.baseDn,
        scope: options.scope ?? 'sub',
        filter: options.filter ?? '(objectClass=*)',
        attributes: options.attributes ?? [],
        typesOnly: options.typesOnly ?? false,
        sizeLimit: options.pageSize === undefined ? left : noLimit,
        timeLimitSeconds: options.timeLimitSeconds ?? Math.ceil(deps.exchangeOptions.timeoutMs / 1000),
        page: options.pageSize === undefined ? undefined : { size: Math.min(options.pageSize, left), cookie },
      }
      const { link, session } = lease.connection
      // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before ended
      const answer = await exchange(link, { ...deps.exchangeOptions, accept: 'any', tellCause: true }, () => session.search(request))
      for (const url of answer.references) references.push(url)
      for (const entry of answer.entries.slice(0, left)) yield toEntry(entry, deps.isBinary)
      left -= Math.min(left, answer.entries.length)
      if (answer.resultCode !== 0) throw resultError(attempt, answer)
      cookie = answer.pageCookie
      if (left === 0 && cookie.length > 0) throw resultError(attempt, { ...answer, resultCode: sizeLimitExceeded })
    } while (cookie.length > 0)
  } finally {
    lease.release()
  }
}

/** The same as `use`, for work that is spread over calls. */
async function leaseConnection(
  connections: Connections,
  signal: AbortSignal,
): Promise<{ readonly connection: Parameters<Parameters<Connections['use']>[1]>[0]; release(): void }> {
  const { promise: done, resolve: release } = Promise.withResolvers<void>()
  return new Promise((resolve, reject) => {
    connections
      .use(signal, async (connection) => {
        resolve({ connection, release })
        await done
      })
      .catch(reject)
  })
}
