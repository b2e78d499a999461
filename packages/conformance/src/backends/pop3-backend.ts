import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { ConnectivityError, type MailDestination, parseDestination, type ProtocolClient } from '@sallyport/core'
import type { Demand } from '../adapter-cases/adapter-case.ts'
import type { FarEnd } from '../far-side.ts'
import { type MailboxScript, playMailbox, storedMessage } from './mailbox.ts'
import { saslResponseOf } from './sasl-response.ts'
import type { ScriptedBackend } from './scripted-backend.ts'
import { greetingWith, pageOfHtml } from './text-lines.ts'

interface Pop3Asks extends ProtocolClient {
  open(options: { readonly signal: AbortSignal }): Promise<void>
  stat(options: { readonly signal: AbortSignal }): Promise<{ readonly messages: number }>
  retr(number: number, options: { readonly signal: AbortSignal }): Promise<Readable>
}

/** Opens the mailbox to whom it knows: by password, or by the token of a prepared header. */
function serve({ stream }: FarEnd, { credentials }: Demand): void {
  const expected = saslResponseOf(credentials)
  playMailbox(stream, {
    capabilities: ['TOP', 'UIDL', 'USER', 'SASL PLAIN XOAUTH2'],
    ...(expected === undefined ? {} : { opens: (presented) => Buffer.from(presented, 'base64').toString('utf8') === expected }),
  })
}

/** Plays along until STAT. */
const answeringStat = (answer: string): ((far: FarEnd) => void) =>
  playing({ answer: (line, say) => line === 'STAT' && (say(answer), true) })
const playing =
  (script: MailboxScript): ((far: FarEnd) => void) =>
  ({ stream }) =>
    void playMailbox(stream, script)

/** A mailbox of one message, and servers that no client should believe. */
export const pop3Backend: ScriptedBackend<'MAIL', Pop3Asks> = {
  destination: ({ host, port }, locationId = 'orlando') =>
    parseDestination({
      Name: 'INBOX',
      Type: 'MAIL',
      'mail.transport.protocol': 'pop3',
      'mail.pop3.host': host,
      'mail.pop3.port': String(port),
      'mail.user': 'the-user',
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: locationId,
    }) as MailDestination,
  serve,
  async work(client, signal) {
    const { messages } = await client.stat({ signal })
    if (messages !== 1) throw new ConnectivityError('NOT_FOUND', 'the message is not there')
    if ((await text(await client.retr(1, { signal }))) !== storedMessage) throw new ConnectivityError('NOT_FOUND', 'the message is another')
  },
  // Numbers of messages hold for one session.
  reopen: (client, signal) => client.open({ signal }),
  longAnswer: {
    serve({ stream }, content) {
      playMailbox(stream, {
        answer(line, say) {
          if (line === 'RETR 1') {
            say('+OK here it is\r\n')
            content.once('end', () => say('.\r\n'))
            content.pipe(stream, { end: false })
          }
          return line === 'RETR 1'
        },
      })
    },
    async *ask(client, signal) {
      yield* await client.retr(1, { signal })
    },
  },
  greeting: '+OK ready\r\n',
  beginAnswer: ({ stream }) => void stream.write('+O'),
  hostile: {
    'a page of HTML': greetingWith(pageOfHtml),
    'a greeting without end': greetingWith(`+OK ${'x'.repeat(10_000)}`),
    'capabilities without end': playing({
      answer: (line, say) => line === 'CAPA' && (say(`+OK\r\n${'X-NOTHING\r\n'.repeat(10_000)}`), true),
    }),
    'numbers that are none': answeringStat('+OK one 5\r\n'),
    'numbers beyond counting': answeringStat('+OK 1 99999999999999999999\r\n'),
    'an answer that is neither yes nor no': answeringStat('* OK 1 5\r\n'),
    'a challenge where a status belongs': answeringStat('+ \r\n'),
    'an answer of NULs': answeringStat('\0\0\0\r\n'),
  },
  // The protocol carries messages one way.
  features: { basic: true, header: true, principal: false, locations: true, answers: true, longAnswers: true, longRequests: false },
}
