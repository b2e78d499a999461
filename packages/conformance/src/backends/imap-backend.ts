import { ConnectivityError, type MailDestination, parseDestination, type ProtocolClient } from '@sallyport/core'
import type { Demand } from '../adapter-cases.ts'
import type { FarEnd } from '../far-side.ts'
import { type AccountScript, playAccount } from './account.ts'
import type { ScriptedBackend } from './scripted-backend.ts'

interface ImapAsks extends ProtocolClient {
  withMailbox(
    path: string,
    work: (flow: { readonly mailbox: false | { readonly exists: number } }) => Promise<number | false>,
    options: { readonly signal: AbortSignal },
  ): Promise<number | false>
}

/** Opens the account to whom it knows: by password, or by the token of a prepared header. */
function serve({ stream }: FarEnd, { credentials }: Demand): void {
  const expected =
    credentials.kind === 'basic'
      ? `\0${credentials.user}\0${credentials.password.reveal()}`
      : credentials.kind === 'header'
        ? `user=the-user\u0001auth=${credentials.value.reveal()}\u0001\u0001`
        : undefined
  playAccount(stream, expected === undefined ? {} : { opens: (presented) => presented === expected })
}

const playing =
  (script: AccountScript): ((far: FarEnd) => void) =>
  ({ stream }) =>
    void playAccount(stream, script)
/** Plays along until the mailbox is selected. */
const answeringSelect = (answer: (tag: string) => string): ((far: FarEnd) => void) =>
  playing({ answer: (tag, line, say) => line.startsWith('SELECT') && (say(answer(tag)), true) })
const saying =
  (greeting: string): ((far: FarEnd) => void) =>
  ({ stream }) => {
    stream.on('error', () => {}).on('end', () => stream.end())
    stream.resume().write(greeting)
  }

/** An account with one message, and servers that no client should believe. */
export const imapBackend: ScriptedBackend<'MAIL', ImapAsks> = {
  destination: ({ host, port }, locationId = 'orlando') =>
    parseDestination({
      Name: 'ACCOUNT',
      Type: 'MAIL',
      'mail.transport.protocol': 'imap4',
      'mail.imap4.host': host,
      'mail.imap4.port': String(port),
      'mail.user': 'the-user',
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: locationId,
    }) as MailDestination,
  serve,
  async work(client, signal) {
    const exists = await client.withMailbox('INBOX', async ({ mailbox }) => mailbox !== false && mailbox.exists, { signal })
    if (exists !== 1) throw new ConnectivityError('NOT_FOUND', 'the message is not there')
  },
  greeting: '* OK ready\r\n',
  beginAnswer: ({ stream }) => void stream.write('* CAPABILI'),
  hostile: {
    'a page of HTML': saying('HTTP/1.1 400 Bad Request\r\n\r\n<html>'),
    'a greeting of POP3': saying('+OK ready\r\n'),
    'a greeting without end': saying(`* OK ${'x'.repeat(4 * 1024 * 1024)}`),
    'a literal of 8 EiB': answeringSelect(() => '* OK {9223372036854775807}\r\n'),
    'an answer of NULs': answeringSelect((tag) => `${tag} \0\0\0\r\n`),
  },
  features: { basic: true, header: true, principal: false, locations: true, answers: true },
}
