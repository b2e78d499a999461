import type { MailDestination } from '@sallyport/core'
import type { ConnectionPool } from '@sallyport/stream'
import type { MailMessage, Transport } from 'nodemailer/lib/mailer'
import type { SMTPEnvelope } from 'nodemailer/lib/smtp-connection'
import { queueIdOf, type SmtpSentInfo } from './delivery.ts'
import { noSenderError } from './smtp-errors.ts'
import type { SmtpLink, Step } from './smtp-link.ts'

/** What nodemailer sends through. */
export interface TransportDeps {
  readonly destination: MailDestination
  readonly pool: ConnectionPool<SmtpLink>
  /** Combines a signal with the end of the client. @throws ConnectivityError `ABORTED` when the client is closed. */
  readonly prepare: (what: string, signal?: AbortSignal) => Step
  readonly close: () => void
}

/** Makes a transport for nodemailer: messages go over the connections of the pool. */
export function createTransport(deps: TransportDeps): Transport<SmtpSentInfo> {
  return {
    name: 'sallyport',
    version: '1',
    supportsAbortSignal: true,
    send(mail, callback) {
      deliver(mail, deps).then(
        (info) => callback(null, info),
        (error: Error) => callback(error),
      )
    },
    verify: () => verify(deps),
    close: deps.close,
  }
}

/** Over a connection of its own or one that was idle: the server answers. */
export async function verify({ pool, prepare }: Pick<TransportDeps, 'pool' | 'prepare'>, signal?: AbortSignal): Promise<true> {
  const step = prepare('verify', signal)
  await pool.use(step.signal, (link) => link.reset(step))
  return true
}

async function deliver(mail: MailMessage<SmtpSentInfo>, { destination, pool, prepare }: TransportDeps): Promise<SmtpSentInfo> {
  const step = prepare('send a message', mail.data.signal ?? undefined)
  const envelope = envelopeOf(mail, destination, step)
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- each round ends one connection that is not there any more
    const info = await pool.use(step.signal, async (link) =>
      (await link.answers(step)) ? link.send(envelope, mail.message.createReadStream(), step) : undefined,
    )
    if (info === undefined) continue
    const { from = '', to = [] } = envelope as { readonly from?: string; readonly to?: string[] }
    return { ...info, envelope: { from, to }, messageId: mail.message.messageId(), queueId: queueIdOf(info.response) }
  }
}

/** From the message; a sender that nobody has chosen is the destination's. */
function envelopeOf(mail: MailMessage<SmtpSentInfo>, { from: defaultFrom, dsn }: MailDestination, { attempt }: Step): SMTPEnvelope {
  const { from, to } = mail.message.getEnvelope()
  const chosen = mail.data.envelope
  // An envelope that says so is from nobody: a notice of delivery.
  const fromNobody = chosen !== undefined && chosen !== null && 'from' in chosen && (chosen.from === false || chosen.from === '')
  const sender = from || (fromNobody ? '' : defaultFrom)
  if (sender === undefined) throw noSenderError(attempt)
  const notices =
    mail.data.dsn ?? (dsn === undefined ? undefined : { notify: [...dsn.notify], ret: dsn.return === 'headers' ? 'HDRS' : 'FULL' })
  return {
    from: sender,
    to,
    ...(notices === undefined ? {} : { dsn: notices }),
    ...(mail.data.requireTLSExtensionEnabled === true ? { requireTLSExtensionEnabled: true } : {}),
  }
}
