import {
  abortedError,
  type Clock,
  type Credentials,
  ConnectivityError,
  type LdapDestination,
  type Logger,
  type ProtocolAdapter,
} from '@sallyport/core'
import type { TlsOptions } from '@sallyport/stream'
import { createConnections } from './connections.ts'
import { createLdapClient, type LdapClient } from './ldap-client.ts'
import type { OpenSession } from './ldap-driver.ts'
import { createBinaryNames } from './ldap-entry.ts'
import { loadLdapjs } from './ldapjs-driver.ts'
import { loadLdapts } from './ldapts-driver.ts'
import { connectTimeoutMs, operationTimeoutMs } from './limits.ts'
import { type LdapUser, openConnection } from './open-link.ts'

const drivers: Readonly<Record<LdapDriverName, () => Promise<OpenSession>>> = { ldapjs: loadLdapjs, ldapts: loadLdapts }

/** The library that speaks LDAP. Both behave alike here; install the one that you choose. */
export type LdapDriverName = 'ldapjs' | 'ldapts'

/** What is the same for every destination of an adapter. */
export interface LdapAdapterOptions {
  readonly clock: Clock
  /** The default is `ldapjs`. */
  readonly driver?: LdapDriverName
  /** TLS for ldaps and StartTLS; the default trusts Node's authorities and presents no certificate. */
  readonly tls?: TlsOptions
  /** Attributes that hold bytes, besides the usual ones (`jpegPhoto`, `userCertificate`, `objectGUID`, `objectSid`, …). */
  readonly binaryAttributes?: readonly string[]
}

/** Makes the adapter for LDAP destinations. It opens no connection, and loads no library, before the first operation. */
export function createLdapAdapter({
  clock,
  driver = 'ldapjs',
  tls = {},
  binaryAttributes = [],
}: LdapAdapterOptions): ProtocolAdapter<'LDAP', LdapClient> {
  const isBinary = createBinaryNames(binaryAttributes)
  let loading: Promise<OpenSession> | undefined
  const openSession = (): Promise<OpenSession> => {
    loading ??= drivers[driver]()
    return loading
  }
  return {
    protocol: 'ldap',
    destinationType: 'LDAP',
    async connect(destination, { dial, credentials, signal, log }) {
      if (signal.aborted) throw abortedError(signal, `connect to destination "${destination.name}"`)
      const user = userOf(destination, credentials)
      if (user !== undefined) warnOfPlainText(destination, log)
      const deps = { destination, dial, tls, openSession, clock, timeoutMs: destination.connectTimeoutMs ?? connectTimeoutMs }
      const connections = createConnections({ open: (who, abort) => openConnection(deps, who, abort), user, clock })
      const timeoutMs = destination.timeoutMs ?? operationTimeoutMs
      return createLdapClient({ destination, user, connections, clock, timeoutMs, isBinary, closed: new AbortController() })
    },
  }
}

/** Who binds; `undefined` is nobody. */
function userOf({ name, authentication }: LdapDestination, credentials: Credentials): LdapUser | undefined {
  const invalid = (what: string): ConnectivityError =>
    new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${what}`, { details: { destination: name } })
  switch (credentials.kind) {
    case 'none':
      if (authentication !== 'NoAuthentication') throw invalid(`it asks for ${authentication}, and no user is at hand`)
      return undefined
    case 'basic': {
      const { user: dn, password } = credentials
      // RFC 4513 §5.1.2: the server would take it for nobody, and say that the bind succeeded.
      if (dn === '' || password.reveal() === '') throw invalid('ldap.user or ldap.password is empty, and such a bind proves nothing')
      return { dn, password }
    }
    case 'header':
      throw invalid('LDAP has no headers; use BasicAuthentication with ldap.user and ldap.password')
    case 'principal':
      throw invalid('LDAP cannot act on behalf of a principal; use BasicAuthentication with ldap.user and ldap.password')
  }
}

/** On-premise the connector can add TLS behind the tunnel, and the tunnel has its own. */
function warnOfPlainText({ name, proxyType, tls }: LdapDestination, log: Logger): void {
  if (proxyType === 'Internet' && tls === 'none')
    log.warn({ destination: name }, 'the password of the destination goes over the network in the clear, use ldaps or ldap.startTls')
}
