import type { Duplex } from 'node:stream'
import { type Clock, type Dial, type LdapDestination, type Secret, underSignal, withDeadline } from '@sallyport/core'
import { secureStream, type TlsOptions } from '@sallyport/stream'
import { exchange } from './exchange.ts'
import type { LdapSession, OpenSession } from './ldap-driver.ts'
import { createLdapLink, type LdapLink } from './ldap-link.ts'
import { requestStartTls } from './start-tls.ts'

/** Who binds. */
export interface LdapUser {
  readonly dn: string
  readonly password: Secret
}

/** A connection that a library speaks over, and that is bound when there is somebody to bind. */
export interface LdapConnection {
  readonly link: LdapLink
  readonly session: LdapSession
}

/** What all connections of a client have in common. */
export interface OpenLinkDeps {
  readonly destination: LdapDestination
  readonly dial: Dial
  readonly tls: TlsOptions
  readonly openSession: () => Promise<OpenSession>
  readonly clock: Clock
  readonly timeoutMs: number
}

/** Dials, secures and binds, in one deadline. On failure nothing stays open. @throws ConnectivityError. */
export async function openConnection(deps: OpenLinkDeps, user: LdapUser | undefined, parent: AbortSignal): Promise<LdapConnection> {
  const { destination, dial, clock, timeoutMs } = deps
  const attempt = `connect to destination "${destination.name}"`
  const signal = withDeadline(timeoutMs, parent)
  const openSession = await deps.openSession()
  const stream = await dial(destination.address, { signal, locationId: destination.locationId })
  const link = createLdapLink(await secure(stream, deps, signal, attempt), { attempt, clock })
  try {
    const session = await underSignal(openSession(link.stream, signal), signal, attempt)
    if (user !== undefined) {
      const password = user.password.reveal()
      const binding = `bind to destination "${destination.name}"`
      await exchange(link, { attempt: binding, signal, clock, timeoutMs, secret: password }, () => session.bind(user.dn, password))
    }
    return { link, session }
  } catch (error) {
    // A refused user does not go on as nobody.
    await link.close()
    throw error
  }
}

/** LDAP in the clear, from the first byte in TLS, or in TLS after asking for it. */
async function secure(stream: Duplex, { destination, tls }: OpenLinkDeps, signal: AbortSignal, attempt: string): Promise<Duplex> {
  if (destination.tls === 'none') return stream
  if (destination.tls === 'startTls') await requestStartTls(stream, signal, attempt)
  const secured = await secureStream(stream, { host: destination.address.host, tls, signal, attempt })
  secured.once('close', () => stream.destroy())
  return secured
}
