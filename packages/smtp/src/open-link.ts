import type { Duplex } from 'node:stream'
import { type Clock, ConnectivityError, type Dial, type Logger, type MailDestination, type MailLogon, withDeadline } from '@sallyport/core'
import { createSocketLike, secureStream, type TlsOptions } from '@sallyport/stream'
import { createDialogueLog } from './dialogue-log.ts'
import { connectTimeoutMs } from './limits.ts'
import type { Nodemailer } from './load-nodemailer.ts'
import { secretsOf } from './log-on.ts'
import { createSmtpLink, type SmtpLink } from './smtp-link.ts'

/** What all connections of a client have in common. */
export interface OpenLinkDeps {
  readonly destination: MailDestination
  readonly dial: Dial
  readonly tls: TlsOptions
  readonly clock: Clock
  readonly log: Logger
  readonly library: Pick<Nodemailer, 'Connection'>
}

/** Dials, secures and logs on, in one deadline. On failure nothing stays open. @throws ConnectivityError. */
export async function openLink(deps: OpenLinkDeps, logon: MailLogon, parent: AbortSignal): Promise<SmtpLink> {
  const { destination, dial, tls, clock, log, library } = deps
  const { name, address, locationId } = destination
  const attempt = `connect to destination "${name}"`
  const signal = withDeadline(destination.connectTimeoutMs ?? connectTimeoutMs, parent)
  const opened = await secure(await dial(address, { signal, locationId }), deps, signal, attempt)
  // The library takes any stream with the members of a socket, and writes codes of its own on the errors of it.
  const errorOf = (error: Error): Error => new Error('the connection broke', { cause: error })
  const stream = createSocketLike({ open: async () => opened, address, clock, errorOf })
  const secrets = secretsOf(logon)
  const link = createSmtpLink(stream, {
    destination,
    tls,
    logon,
    clock,
    log: createDialogueLog(log, name, () => secrets),
    Connection: library.Connection,
  })
  try {
    await link.begin(logon, { attempt, signal })
    return link
  } catch (error) {
    // Who is refused does not go on as nobody.
    if (ConnectivityError.is(error)) link.abandon(error)
    await link.close()
    throw error
  }
}

/** TLS from the first byte is ours; STARTTLS, in the middle of the dialogue, is the library's. */
async function secure(stream: Duplex, { destination, tls }: OpenLinkDeps, signal: AbortSignal, attempt: string): Promise<Duplex> {
  if (destination.tls !== 'implicit') return stream
  const { address, tlsRules: rules } = destination
  const secured = await secureStream(stream, { host: address.host, tls, rules, signal, attempt })
  secured.once('close', () => stream.destroy())
  return secured
}
