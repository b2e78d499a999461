import type { Address } from './address.ts'
import { expectMailProperties } from './mail-properties.ts'
import { mailKey, mailProperty, type MailProtocol, type MailScheme, readMailAddress, selectMailScheme } from './mail-protocol.ts'
import { type MailTlsMode, readMailTlsMode, readMailTlsRules, type TlsRules, words } from './mail-tls.ts'
import { type InvalidProperty, type Properties, readBoolean, readMilliseconds } from './property-values.ts'

/** What is particular to a destination of type MAIL. */
export interface MailTarget {
  readonly protocol: MailProtocol
  readonly address: Address
  readonly tls: MailTlsMode
  /** What the server's certificate has to prove. */
  readonly tlsRules: TlsRules
  readonly authentication: string
  /** Who logs on; `undefined` where nobody does or no user is named. */
  readonly user: string | undefined
  /** `mail.<p>.auth` is not `false`. */
  readonly logsOn: boolean
  /** SASL mechanisms that the destination prefers, best first, in capitals. Empty is the choice of the client. */
  readonly mechanisms: readonly string[]
  /** Sender of messages that name none. */
  readonly from: string | undefined
  /** Longest time for a connection. */
  readonly connectTimeoutMs: number | undefined
  /** Longest wait for a word of the server. */
  readonly timeoutMs: number | undefined
  /** How the client introduces itself in EHLO. */
  readonly localName: string | undefined
  /** Which notices of delivery are asked for. */
  readonly dsn: MailNotices | undefined
  /** `mail.debug`: every line of the dialogue goes to the log, without secrets. */
  readonly debug: boolean
}

/** RFC 3461, as `mail.smtp.dsn.*` has it. */
export interface MailNotices {
  /** `NEVER` alone, or some of `SUCCESS`, `FAILURE`, `DELAY`. Empty leaves it to the server. */
  readonly notify: readonly string[]
  readonly return: 'full' | 'headers' | undefined
}

/** Reads the `mail.*` properties. */
export function parseMailTarget(properties: Properties, invalid: InvalidProperty): MailTarget {
  expectMailProperties(properties, invalid)
  const scheme = selectMailScheme(properties, invalid)
  const key = (word: string): string => mailKey(properties, scheme, word)
  const tls = readMailTlsMode(properties, scheme, invalid)
  const text = (name: string): string | undefined => readLine(properties, name, invalid)
  return {
    protocol: scheme.protocol,
    address: readMailAddress(properties, scheme, tls === 'implicit' ? securePorts[scheme.protocol] : scheme.defaultPort, invalid),
    tls,
    tlsRules: readMailTlsRules(properties, scheme, invalid),
    authentication: properties['Authentication'] ?? 'NoAuthentication',
    user: text('mail.user') ?? text('User'),
    logsOn: readBoolean(properties, key('auth'), invalid) ?? true,
    mechanisms: words(mailProperty(properties, scheme, 'auth.mechanisms')).map((name) => name.toUpperCase()),
    from: text('mail.smtp.from') ?? text(key('from')) ?? text('mail.from'),
    connectTimeoutMs: readJavaTimeout(properties, key('connectiontimeout'), invalid),
    timeoutMs: readJavaTimeout(properties, key('timeout'), invalid),
    localName: text('mail.smtp.localhost'),
    dsn: readNotices(properties, scheme, invalid),
    debug: readBoolean(properties, 'mail.debug', invalid) ?? false,
  }
}

const securePorts: Readonly<Record<MailProtocol, number>> = { smtp: 465, imap: 993, pop3: 995 }

/** 0 and -1 wait for ever in Java; here waits are bounded, and such a value leaves the limit to the client. */
function readJavaTimeout(properties: Properties, name: string, invalid: InvalidProperty): number | undefined {
  return /^(?:0|-1)$/.test(properties[name] ?? '') ? undefined : readMilliseconds(properties, name, invalid)
}

/** What goes into a line of the protocol must not begin another one. */
function readLine(properties: Properties, name: string, invalid: InvalidProperty): string | undefined {
  const value = properties[name] ?? ''
  if (/\p{Cc}/u.test(value)) throw invalid(`${name} holds a control character`)
  return value === '' ? undefined : value
}

function readNotices(properties: Properties, scheme: MailScheme, invalid: InvalidProperty): MailNotices | undefined {
  const notify = words(mailProperty(properties, scheme, 'dsn.notify')).map((word) => word.toUpperCase())
  const back = (mailProperty(properties, scheme, 'dsn.ret') ?? '').toUpperCase()
  if (notify.some((word) => !['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'].includes(word)) || (notify.includes('NEVER') && notify.length > 1)) {
    throw invalid(`${mailKey(properties, scheme, 'dsn.notify')} is neither NEVER nor some of SUCCESS, FAILURE, DELAY`)
  }
  if (!['', 'FULL', 'HDRS'].includes(back)) throw invalid(`${mailKey(properties, scheme, 'dsn.ret')} is neither FULL nor HDRS`)
  if (notify.length === 0 && back === '') return undefined
  return { notify, return: back === 'FULL' ? 'full' : back === 'HDRS' ? 'headers' : undefined }
}
