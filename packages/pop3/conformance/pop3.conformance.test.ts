import { text } from 'node:stream/consumers'
import { type AdapterParts, type Demand, describeAdapter, type FarEnd, type FarSide } from '@sallyport/conformance'
import { type Address, ConnectivityError, createSecret, type MailDestination, parseDestination, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { createPop3Adapter, type Pop3Client } from '../src/index.ts'
import { type MailboxScript, playMailbox, storedMessage } from './test-mailbox.ts'

const token = 'header.payload.signature-of-the-proxy'

/** Opens the mailbox to whom it knows: by password, or by the token of a prepared header. */
function serve({ stream }: FarEnd, { credentials }: Demand): void {
  const expected =
    credentials.kind === 'basic'
      ? `\0${credentials.user}\0${credentials.password.reveal()}`
      : credentials.kind === 'header'
        ? `user=the-user\u0001auth=${credentials.value.reveal()}\u0001\u0001`
        : undefined
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

const parts = {
  create: () => createPop3Adapter({ clock: systemClock }),
  destination: ({ host, port }: Address): MailDestination =>
    parseDestination({
      Name: 'INBOX',
      Type: 'MAIL',
      'mail.transport.protocol': 'pop3',
      'mail.pop3.host': host,
      'mail.pop3.port': String(port),
      'mail.user': 'the-user',
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: 'orlando',
    }) as MailDestination,
  serve,
  async work(client: Pop3Client, signal: AbortSignal): Promise<void> {
    const { messages } = await client.stat({ signal })
    if (messages !== 1) throw new ConnectivityError('NOT_FOUND', 'the message is not there')
    if ((await text(await client.retr(1, { signal }))) !== storedMessage) throw new ConnectivityError('NOT_FOUND', 'the message is another')
  },
  greeting: '+OK ready\r\n',
  beginAnswer: ({ stream }: FarEnd): void => void stream.write('+O'),
  hostile: {
    'a page of HTML': ({ stream }: FarEnd) => {
      stream.on('error', () => {}).on('end', () => stream.end())
      stream.resume().write('HTTP/1.1 400 Bad Request\r\n\r\n<html>')
    },
    'a greeting without end': ({ stream }: FarEnd) => {
      stream.on('error', () => {}).on('end', () => stream.end())
      stream.resume().write(`+OK ${'x'.repeat(10_000)}`)
    },
    'capabilities without end': playing({
      answer: (line, say) => line === 'CAPA' && (say(`+OK\r\n${'X-NOTHING\r\n'.repeat(10_000)}`), true),
    }),
    'numbers that are none': answeringStat('+OK one 5\r\n'),
    'numbers beyond counting': answeringStat('+OK 1 99999999999999999999\r\n'),
    'an answer that is neither yes nor no': answeringStat('* OK 1 5\r\n'),
    'a challenge where a status belongs': answeringStat('+ \r\n'),
    'an answer of NULs': answeringStat('\0\0\0\r\n'),
  },
} satisfies Partial<AdapterParts<'MAIL', Pop3Client, FarSide>>

const features = { basic: true, header: true, principal: false, locations: true, answers: true }

describeAdapter('pop3 over a dial in memory', { ...parts, open: async () => createMemoryNetwork(), features })

describeAdapter('pop3 over sockets', {
  ...parts,
  open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }),
  features,
})

describeAdapter('pop3 through SOCKS5', {
  ...parts,
  async open() {
    const network = createSocketNetwork()
    const proxy = await createSocksServer({ token, route: (host, port) => ({ host, port }) })
    return {
      ...network,
      dial: createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(token) }),
      idle: async () => {
        await Promise.all([network.idle(), proxy.idle()])
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
      },
    }
  },
  secrets: [token],
  features,
})
