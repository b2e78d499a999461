import { type Address, tryParseAddress } from './address.ts'
import { ConnectivityError } from './errors.ts'
import type { InvalidProperty, Properties } from './property-values.ts'

/** What is spoken; the variants that begin with TLS are the same protocol. */
export type MailProtocol = 'smtp' | 'imap' | 'pop3'

/** A name that `mail.transport.protocol` may have, with all that it decides. */
export interface MailScheme {
  readonly protocol: MailProtocol
  readonly implicitTls: boolean
  readonly defaultPort: number
  /** `mail.<name>.` begins the keys of this protocol; the first one that has a value wins. */
  readonly names: readonly string[]
}

const schemes: readonly MailScheme[] = [
  { protocol: 'smtp', implicitTls: false, defaultPort: 587, names: ['smtp'] },
  { protocol: 'smtp', implicitTls: true, defaultPort: 465, names: ['smtps'] },
  { protocol: 'imap', implicitTls: false, defaultPort: 143, names: ['imap4', 'imap'] },
  { protocol: 'imap', implicitTls: true, defaultPort: 993, names: ['imap4s', 'imaps'] },
  { protocol: 'pop3', implicitTls: false, defaultPort: 110, names: ['pop3'] },
  { protocol: 'pop3', implicitTls: true, defaultPort: 995, names: ['pop3s'] },
]
const known = schemes.flatMap(({ names }) => names).join(', ')

/** For an adapter, before it does anything. @throws ConnectivityError `DESTINATION_INVALID` for a destination of another protocol. */
export function requireMailProtocol(destination: { readonly name: string; readonly protocol: MailProtocol }, wanted: MailProtocol): void {
  const { name, protocol } = destination
  if (protocol === wanted) return
  const names = schemes.filter((scheme) => scheme.protocol === wanted).map((scheme) => scheme.names[0])
  throw new ConnectivityError(
    'DESTINATION_INVALID',
    `destination "${name}" is for ${protocol}; mail.transport.protocol has to be ${names.join(' or ')}`,
    { details: { destination: name } },
  )
}

/** The one that `mail.transport.protocol` names or, without it, the only one with a host. */
export function selectMailScheme(properties: Properties, invalid: InvalidProperty): MailScheme {
  const named = (properties['mail.transport.protocol'] ?? '').toLowerCase()
  if (named !== '') {
    const scheme = schemes.find(({ names }) => names.includes(named))
    if (scheme === undefined) throw invalid(`mail.transport.protocol "${named.slice(0, 40)}" is not one of ${known}`)
    return scheme
  }
  const withHost = schemes.filter((scheme) => mailProperty(properties, scheme, 'host') !== undefined)
  const [only, another] = withHost
  if (only === undefined) throw invalid(`mail.transport.protocol is missing, and so is mail.<protocol>.host with one of ${known}`)
  if (another !== undefined) {
    const hosts = withHost.map(({ names }) => `mail.${names[0]}.host`).join(' and ')
    throw invalid(`mail.transport.protocol is missing; ${hosts} leave open which one is meant`)
  }
  return only
}

/** The name of the key that holds `mail.<p>.<word>`; of several the one with a value, else the first. */
export function mailKey(properties: Properties, { names }: MailScheme, word: string): string {
  const keys = names.map((name) => `mail.${name}.${word}`)
  return keys.find((key) => (properties[key] ?? '') !== '') ?? `mail.${names[0]}.${word}`
}

/** The value of `mail.<p>.<word>`; `undefined` where it is absent or empty. */
export function mailProperty(properties: Properties, scheme: MailScheme, word: string): string | undefined {
  const value = properties[mailKey(properties, scheme, word)] ?? ''
  return value === '' ? undefined : value
}

/** Host and port; `defaultPort` where the destination names none. The case of the host is kept. */
export function readMailAddress(properties: Properties, scheme: MailScheme, defaultPort: number, invalid: InvalidProperty): Address {
  const host = mailProperty(properties, scheme, 'host')
  if (host === undefined) throw invalid(`${mailKey(properties, scheme, 'host')} is missing`)
  const portText = mailProperty(properties, scheme, 'port') ?? String(defaultPort)
  if (!/^\d{1,5}$/.test(portText) || Number(portText) < 1 || Number(portText) > 65_535) {
    throw invalid(`${mailKey(properties, scheme, 'port')} is not a port from 1 to 65535`)
  }
  const address = tryParseAddress(`${/^[^[]*:[^[]*:/.test(host) ? `[${host}]` : host}:${portText}`)
  if (address === undefined) throw invalid(`${mailKey(properties, scheme, 'host')} is not the name or address of a host`)
  return address
}
