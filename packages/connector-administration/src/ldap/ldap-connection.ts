import { rootCertificates } from 'node:tls'
import { ConnectivityError } from '@sallyport/core'
import { Client, InvalidCredentialsError, NoSuchObjectError, type SearchOptions, SizeLimitExceededError } from 'ldapts'
import type { LdapHost, LdapStoreSettings, LdapTrust } from './ldap-store-settings.ts'

/** What a search has found. */
export interface Found {
  readonly dn: string
  /** Values of the attributes that were asked for. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
}

/** A bound connection to one directory. */
export interface LdapConnection extends AsyncDisposable {
  /** `undefined` when there are more than `limit`. @throws ConnectivityError */
  search(base: string, options: LdapSearch): Promise<readonly Found[] | undefined>
}

/** What is searched, and what of it is read. */
interface LdapSearch {
  readonly filter: string
  readonly subtree: boolean
  readonly attributes: readonly string[]
  readonly limit: number
  /** Passes over references to other directories; otherwise they are an error. */
  readonly ignoreReferences: boolean
}

/** How connections are opened. */
export interface LdapConnectOptions {
  readonly trust: LdapTrust
  readonly timeoutMs: number
  /** Hears what is tried, for people who look for an error. Never a password. */
  readonly note: (line: string) => void
}

/**
 * Connects to the first host that can be reached and binds as the user that searches.
 *
 * @throws ConnectivityError `PEER_UNREACHABLE` when no host can be reached, `LOGON_REFUSED` when the directory refuses that user.
 */
export async function connectLdap(
  store: Pick<LdapStoreSettings, 'hosts' | 'user' | 'password'>,
  options: LdapConnectOptions,
): Promise<LdapConnection> {
  const { note } = options
  let last: unknown
  for (const host of store.hosts) {
    const client = openClient(host, options)
    try {
      note(`connecting to ${addressOf(host)}, as ${store.user ?? 'nobody'}`)
      await client.bind(store.user ?? '', store.password ?? '')
      return connectionOf(client, host, options)
    } catch (error) {
      await close(client)
      note(`failed: ${textOf(error)}`)
      if (error instanceof InvalidCredentialsError)
        throw new ConnectivityError('LOGON_REFUSED', `the directory ${addressOf(host)} refuses the user that searches`, { cause: error })
      last = error
    }
  }
  throw new ConnectivityError(
    'PEER_UNREACHABLE',
    `the directory ${store.hosts.map(addressOf).join(' or ')} cannot be asked: ${textOf(last)}`,
    {
      cause: last,
    },
  )
}

/** Whether a user and password are right; asked on a connection of its own. @throws ConnectivityError when it cannot be found out. */
export async function isPasswordRight(
  hosts: readonly LdapHost[],
  dn: string,
  password: string,
  options: LdapConnectOptions,
): Promise<boolean> {
  // A bind without password succeeds for everybody, as nobody (RFC 4513, 5.1.2).
  if (password === '') return false
  try {
    const connection = await connectLdap({ hosts, user: dn, password }, options)
    await connection[Symbol.asyncDispose]()
    return true
  } catch (error) {
    if (ConnectivityError.is(error) && error.code === 'LOGON_REFUSED') return false
    throw error
  }
}

function connectionOf(client: Client, host: LdapHost, { note }: LdapConnectOptions): LdapConnection {
  return {
    async search(base, { attributes, filter, ignoreReferences, limit, subtree }) {
      note(`searching below "${base}": ${filter}`)
      const options: SearchOptions = { filter, scope: subtree ? 'sub' : 'one', attributes: [...attributes], sizeLimit: limit + 1 }
      try {
        const { searchEntries, searchReferences } = await client.search(base, options)
        if (searchReferences.length > 0 && !ignoreReferences)
          throw new ConnectivityError(
            'OPERATION_REFUSED',
            `the directory ${addressOf(host)} refers to others; adCompat="true" passes over that`,
          )
        note(`found ${searchEntries.map(({ dn }) => `"${dn}"`).join(', ') || 'nothing'}`)
        if (searchEntries.length > limit) return undefined
        return searchEntries.map((entry) => ({
          dn: entry.dn,
          attributes: Object.fromEntries(attributes.map((name) => [name, valuesOf(entry, name)])),
        }))
      } catch (error) {
        if (error instanceof SizeLimitExceededError) return undefined
        note(`failed: ${textOf(error)}`)
        if (ConnectivityError.is(error)) throw error
        const code = error instanceof NoSuchObjectError ? 'OPERATION_REFUSED' : 'PEER_UNREACHABLE'
        throw new ConnectivityError(code, `the directory ${addressOf(host)} cannot search below "${base}": ${textOf(error)}`, {
          cause: error,
        })
      }
    },
    [Symbol.asyncDispose]: () => close(client),
  }
}

function openClient({ host, isSecure, port }: LdapHost, { timeoutMs, trust }: LdapConnectOptions): Client {
  const name = host.includes(':') ? `[${host}]` : host
  return new Client({
    url: `${isSecure ? 'ldaps' : 'ldap'}://${name}:${port}`,
    timeout: timeoutMs,
    connectTimeout: timeoutMs,
    strictDN: false,
    ...(isSecure ? { tlsOptions: tlsOf(trust) } : {}),
  })
}

function tlsOf({ certificates, mode }: LdapTrust): { readonly ca: string[]; readonly rejectUnauthorized: boolean } {
  return {
    ca: mode === 'listed-and-public' ? [...rootCertificates, ...certificates] : [...certificates],
    rejectUnauthorized: mode !== 'all',
  }
}

/** Names of attributes do not care about case. */
function valuesOf(entry: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const found = Object.entries(entry).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
  const values: readonly unknown[] = Array.isArray(found) ? found : found === undefined ? [] : [found]
  return values.map((value) => (Buffer.isBuffer(value) ? value.toString('utf8') : String(value)))
}

function addressOf({ host, isSecure, port }: LdapHost): string {
  return `${isSecure ? 'ldaps' : 'ldap'}://${host}:${port}`
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error'
}

async function close(client: Client): Promise<void> {
  // Nothing more is wanted of it, and it may be gone already.
  await client.unbind().catch(() => {})
}
