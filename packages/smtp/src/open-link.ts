import type { Duplex } from 'node:stream'
import { type Clock, ConnectivityError, type Dial, type Logger, type MailDestination, type MailLogon, withDeadline } from '@sallyport/core'
import { createSocketLike, secureStream, type TlsOptions } from '@sallyport/stream'
import { createDialogueLog } from './dialogue-log.ts'
import { connectTimeoutMs } from './limits.ts'
import { secretsOf } from './log-on.ts'
import { createSmtpLink, type SmtpLink } from './smtp-link.ts'

/** What all connections of a client have in common. */
export interface OpenLinkDeps {
  readonly destination: MailDestination
  readonly dial: Dial
  readonly tls: TlsOptions
  readonly clock: Clock
  readonly log: Logger
}

/** Dials, secures and logs on, in one deadline. On failure nothing stays open. @throws ConnectivityError. */
export async function openLink(deps: OpenLinkDeps, logon: MailLogon, parent: AbortSignal): Promise<SmtpLink> {
  const { destination, dial, tls, clock, log } = deps
  const { name, address, locationId } = destination
  const attempt = `connect to destination "${name}"`
  const signal = withDeadline(destination.connectTimeoutMs ?? connectTimeoutMs, parent)
  const stream = await secure(await dial(address, { signal, locationId }), deps, signal, attempt)
  const secrets = secretsOf(logon)
  const link = createSmtpLink(stream, { destination, tls, logon, clock, log: createDialogueLog(log, name, () => secrets) })
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
async function secure(stream: Duplex, deps: OpenLinkDeps, signal: AbortSignal, attempt: string): Promise<Duplex> {
  const { destination, tls, clock } = deps
  const { address } = destination
  if (destination.tls === 'implicit') {
    const secured = await secureStream(stream, { host: address.host, tls, rules: destination.tlsRules, signal, attempt })
    secured.once('close', () => stream.destroy())
    return secured
  }
  return 'setTimeout' in stream ? stream : createSocketLike({ open: async () => stream, address, clock })
}
