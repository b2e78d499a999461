import { type AdapterParts, type Demand, describeAdapter, type FarEnd, type FarSide } from '@sallyport/conformance'
import { type Address, ConnectivityError, createSecret, type MailDestination, parseDestination, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { createSmtpAdapter, type SmtpClient } from '../src/index.ts'
import { serveRelay } from './test-relay.ts'

const token = 'header.payload.signature-of-the-proxy'

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

const parts = {
  create: () => createSmtpAdapter({ clock: systemClock }),
  destination: ({ host, port }: Address): MailDestination =>
    parseDestination({
      Name: 'POST',
      Type: 'MAIL',
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: 'orlando',
      'mail.transport.protocol': 'smtp',
      'mail.smtp.host': host,
      'mail.smtp.port': String(port),
      'mail.from': 'robot@acme.test',
    }) as MailDestination,
  serve,
  async work(client: SmtpClient, signal: AbortSignal): Promise<void> {
    const { accepted } = await client.send({ to: 'jane@acme.test', subject: 'Hello', text: 'Hello Jane' }, { signal })
    if (accepted[0] !== 'jane@acme.test') throw new ConnectivityError('NOT_FOUND', 'nobody took the message')
  },
  greeting: '220 relay.test ESMTP\r\n',
  beginAnswer: ({ stream }: FarEnd): void => void stream.write('250-relay.te'),
  hostile: {
    'a page of HTML': ({ stream }: FarEnd) => {
      stream.on('error', () => {})
      stream.on('end', () => stream.end())
      stream.resume()
      stream.write('HTTP/1.1 400 Bad Request\r\n\r\n<html>')
    },
    'a line without an end': answering('250-'.padEnd(128 * 1024, 'x')),
    'lines without an end': answering('250-more\r\n'.repeat(20_000)),
    'no number': answering('ok, go on\r\n'),
  },
} satisfies Partial<AdapterParts<'MAIL', SmtpClient, FarSide>>

const features = { basic: true, header: false, principal: false, locations: true, answers: true }

describeAdapter('smtp over a dial in memory', { ...parts, open: async () => createMemoryNetwork(), features })

describeAdapter('smtp over sockets', { ...parts, open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }), features })

describeAdapter('smtp through SOCKS5', {
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
