import type { Readable } from 'node:stream'
import { ConnectivityError, type MailDestination, parseDestination, type ProtocolClient } from '@sallyport/core'
import type { Demand } from '../adapter-cases/adapter-case.ts'
import type { FarEnd } from '../far-side.ts'
import { serveRelay } from './mail-relay.ts'
import type { ScriptedBackend } from './scripted-backend.ts'
import { greetingWith, pageOfHtml } from './text-lines.ts'

interface SmtpAsks extends ProtocolClient {
  send(
    message: { readonly to: string; readonly subject: string; readonly text: string | Readable },
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly accepted: readonly string[] }>
}

/** A relay for whom it knows, or for everybody. */
function serve(far: FarEnd, { credentials }: Demand): void {
  let known = credentials.kind === 'none'
  serveRelay(far, {
    admit(_mechanism, response) {
      if (credentials.kind === 'basic') known = response === `\0${credentials.user}\0${credentials.password.reveal()}`
      return known
    },
    answer: (line) => (!known && /^(MAIL|RSET)/.test(line) ? '530 5.7.0 log on first' : undefined),
  })
}

/** Greets and then answers every line with this. */
const answering =
  (bytes: string): ((far: FarEnd) => void) =>
  ({ stream }) => {
    stream.on('error', () => {})
    stream.on('end', () => stream.end())
    stream.on('data', () => stream.write(bytes))
    stream.write('220 relay.test\r\n')
  }

/** A relay that takes what it is given, and servers that no client should believe. */
export const smtpBackend: ScriptedBackend<'MAIL', SmtpAsks> = {
  destination: ({ host, port }, locationId = 'orlando') =>
    parseDestination({
      Name: 'POST',
      Type: 'MAIL',
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: locationId,
      'mail.transport.protocol': 'smtp',
      'mail.smtp.host': host,
      'mail.smtp.port': String(port),
      'mail.from': 'robot@acme.test',
    }) as MailDestination,
  serve,
  async work(client, signal) {
    const { accepted } = await client.send({ to: 'jane@acme.test', subject: 'Hello', text: 'Hello Jane' }, { signal })
    if (accepted[0] !== 'jane@acme.test') throw new ConnectivityError('NOT_FOUND', 'nobody took the message')
  },
  longRequest: {
    serve: (far) => void serveRelay(far),
    async send(client, text, signal) {
      const { accepted } = await client.send({ to: 'jane@acme.test', subject: 'A long one', text }, { signal })
      if (accepted[0] !== 'jane@acme.test') throw new ConnectivityError('NOT_FOUND', 'nobody took the message')
    },
  },
  greeting: '220 relay.test ESMTP\r\n',
  beginAnswer: ({ stream }) => void stream.write('250-relay.te'),
  hostile: {
    'a page of HTML': greetingWith(pageOfHtml),
    'a line without an end': answering('250-'.padEnd(128 * 1024, 'x')),
    'lines without an end': answering('250-more\r\n'.repeat(20_000)),
    'no number': answering('ok, go on\r\n'),
  },
  // The longest answer is a few lines.
  features: { basic: true, header: false, principal: false, locations: true, answers: true, longAnswers: false, longRequests: true },
}
