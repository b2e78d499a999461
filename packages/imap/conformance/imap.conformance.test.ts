import { type AdapterParts, type Demand, describeAdapter, type FarEnd, type FarSide } from '@sallyport/conformance'
import { type Address, ConnectivityError, createSecret, type MailDestination, parseDestination, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { ImapFlow } from 'imapflow'
import { ImapFlow as OlderImapFlow } from 'imapflow-2.1'
import { createImapAdapter, type ImapClient, type ImapFlowClass } from '../src/index.ts'
import { type AccountScript, playAccount } from './test-account.ts'

const token = 'header.payload.signature-of-the-proxy'

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

const common = {
  destination: ({ host, port }: Address): MailDestination =>
    parseDestination({
      Name: 'ACCOUNT',
      Type: 'MAIL',
      'mail.transport.protocol': 'imap4',
      'mail.imap4.host': host,
      'mail.imap4.port': String(port),
      'mail.user': 'the-user',
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: 'orlando',
    }) as MailDestination,
  serve,
  async work(client: ImapClient, signal: AbortSignal): Promise<void> {
    const exists = await client.withMailbox('INBOX', async ({ mailbox }) => mailbox !== false && mailbox.exists, { signal })
    if (exists !== 1) throw new ConnectivityError('NOT_FOUND', 'the message is not there')
  },
  greeting: '* OK ready\r\n',
  beginAnswer: ({ stream }: FarEnd): void => void stream.write('* CAPABILI'),
  hostile: {
    'a page of HTML': saying('HTTP/1.1 400 Bad Request\r\n\r\n<html>'),
    'a greeting of POP3': saying('+OK ready\r\n'),
    'a greeting without end': saying(`* OK ${'x'.repeat(4 * 1024 * 1024)}`),
    'a literal of 8 EiB': answeringSelect(() => '* OK {9223372036854775807}\r\n'),
    'an answer of NULs': answeringSelect((tag) => `${tag} \0\0\0\r\n`),
  },
} satisfies Partial<AdapterParts<'MAIL', ImapClient, FarSide>>

const features = { basic: true, header: true, principal: false, locations: true, answers: true }
const libraries: readonly (readonly [string, ImapFlowClass])[] = [
  ['with the option transport', ImapFlow],
  ['over the bridge', OlderImapFlow as unknown as ImapFlowClass],
]

for (const [how, library] of libraries) {
  const parts = { ...common, create: () => createImapAdapter({ clock: systemClock, library }) }
  describeAdapter(`imap ${how} and a dial in memory`, { ...parts, open: async () => createMemoryNetwork(), features })

  describeAdapter(`imap ${how} and sockets`, {
    ...parts,
    open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }),
    features,
  })

  describeAdapter(`imap ${how} and SOCKS5`, {
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
}
