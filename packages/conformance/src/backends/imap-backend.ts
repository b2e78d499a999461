import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { ConnectivityError, type MailDestination, parseDestination, type ProtocolClient } from '@sallyport/core'
import type { Demand } from '../adapter-cases/adapter-case.ts'
import type { FarEnd } from '../far-side.ts'
import { type AccountScript, playAccount } from './account.ts'
import { saslResponseOf } from './sasl-response.ts'
import type { ScriptedBackend } from './scripted-backend.ts'
import { greetingWith, pageOfHtml } from './text-lines.ts'

interface ImapAsks extends ProtocolClient {
  flow(options: { readonly signal: AbortSignal }): Promise<{
    mailboxOpen(path: string): Promise<unknown>
    download(uid: string, part: undefined, options: { readonly uid: true }): Promise<{ readonly content?: Readable | undefined }>
  }>
  withMailbox(
    path: string,
    work: (flow: { readonly mailbox: false | { readonly exists: number } }) => Promise<number | false>,
    options: { readonly signal: AbortSignal },
  ): Promise<number | false>
}

/** Opens the account to whom it knows: by password, or by the token of a prepared header. */
function serve({ stream }: FarEnd, { credentials }: Demand): void {
  const expected = saslResponseOf(credentials)
  playAccount(stream, expected === undefined ? {} : { opens: (presented) => presented === expected })
}

/** So many bytes, or what is left. */
async function readPart(content: Readable, count: number): Promise<string> {
  while (!content.readableEnded) {
    const part = content.read(count) as Buffer | null
    if (part !== null) return part.toString('latin1')
    // oxlint-disable-next-line no-await-in-loop -- until there is enough
    await Promise.race([once(content, 'readable'), once(content, 'end')])
  }
  return ''
}

const playing =
  (script: AccountScript): ((far: FarEnd) => void) =>
  ({ stream }) =>
    void playAccount(stream, script)
/** Plays along until the mailbox is selected. */
const answeringSelect = (answer: (tag: string) => string): ((far: FarEnd) => void) =>
  playing({ answer: (tag, line, say) => line.startsWith('SELECT') && (say(answer(tag)), true) })

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
  longAnswer: {
    serve({ stream }, content) {
      playAccount(stream, {
        answer(tag, line, say) {
          const [, from, count] = /BODY(?:\.PEEK)?\[\]<(\d+)\.(\d+)>/.exec(line) ?? []
          if (from === undefined) return false
          void readPart(content, Number(count)).then((part) =>
            say(`* 1 FETCH (UID 7 BODY[]<${from}> {${part.length}}\r\n${part})\r\n${tag} OK done\r\n`),
          )
          return true
        },
      })
    },
    async *ask(client, signal) {
      const flow = await client.flow({ signal })
      await flow.mailboxOpen('INBOX')
      yield* (await flow.download('7', undefined, { uid: true })).content ?? []
    },
  },
  greeting: '* OK ready\r\n',
  beginAnswer: ({ stream }) => void stream.write('* CAPABILI'),
  hostile: {
    'a page of HTML': greetingWith(pageOfHtml),
    'a greeting of POP3': greetingWith('+OK ready\r\n'),
    'a greeting without end': greetingWith(`* OK ${'x'.repeat(4 * 1024 * 1024)}`),
    'a literal of 8 EiB': answeringSelect(() => '* OK {9223372036854775807}\r\n'),
    'an answer of NULs': answeringSelect((tag) => `${tag} \0\0\0\r\n`),
  },
  // The library takes a message to append as a whole.
  features: { basic: true, header: true, principal: false, locations: true, answers: true, longAnswers: true, longRequests: false },
}
