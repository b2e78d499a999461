import type { Socket } from 'node:net'
import { type ClientCertificate, readClientCertificate } from './client-certificate.ts'
import type { LogOn } from './log-on.ts'
import type { OnRefused } from './log-on-refusals.ts'
import type { ClientCertificateSettings } from './ui-settings.ts'
import type { KnownUser } from './user-store.ts'

/** User and password as a client gives them. */
export interface Credentials {
  readonly name: string
  readonly password: string
}

/** Who a client is, or why that is not proven. */
type Proof =
  | { readonly kind: 'known'; readonly user: KnownUser }
  /** `tried`: the client has shown something. `withPassword`: user and password, or others, would do. */
  | { readonly kind: 'refused'; readonly tried: boolean; readonly withPassword: boolean; readonly reason: string }

/** Asks a client who he is: his certificate first, then his password, if that may count. The one rule for every way to log on (cloud-connector.md §5.4). */
export type ProveUser = (
  client: { readonly socket: Socket; readonly address: string },
  credentials: Credentials | undefined,
) => Promise<Proof>

/** `find` gives the user whom a certificate names. */
export function createProveUser(options: {
  readonly logOn: LogOn
  readonly find: (name: string) => Promise<KnownUser | undefined>
  readonly clientCertificates: ClientCertificateSettings
  /** Told about certificates that do not lead to a user. */
  readonly onRefused?: OnRefused
}): ProveUser {
  const { clientCertificates, find, logOn, onRefused } = options
  return async ({ address, socket }, credentials) => {
    const shown: ClientCertificate = clientCertificates.enabled
      ? readClientCertificate(socket, clientCertificates.userAttribute)
      : { kind: 'none' }
    if (shown.kind === 'refused') {
      onRefused?.('', address, shown.reason)
      return { kind: 'refused', tried: true, withPassword: false, reason: shown.reason }
    }
    if (shown.kind === 'user') {
      const user = await find(shown.name)
      if (user !== undefined) return { kind: 'known', user }
      const reason = 'the certificate names no known user'
      onRefused?.(shown.name, address, reason)
      return { kind: 'refused', tried: true, withPassword: false, reason }
    }
    const tried = credentials !== undefined
    if (clientCertificates.enabled && !clientCertificates.passwordFallback)
      return { kind: 'refused', tried, withPassword: false, reason: 'a certificate is needed' }
    const user = credentials && (await logOn(credentials.name, credentials.password, address))
    if (user !== undefined) return { kind: 'known', user }
    const reason = 'user and password are needed, or wrong, or locked for five minutes after five failures'
    return { kind: 'refused', tried, withPassword: true, reason }
  }
}
