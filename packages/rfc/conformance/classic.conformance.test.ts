import { type AdapterParts, type Demand, describeAdapter, type FarEnd, type FarSide } from '@sallyport/conformance'
import { type Address, ConnectivityError, createSecret, type ProtocolAdapter, type RfcDestination, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { acceptedGatewayConnect, clientGatewayConnect, formatGatewayConnect, formatNiFrame } from '@sallyport/rfc-wire'
import { createMemoryNetwork, createSocketNetwork, createSocksServer, serveAbapGateway } from '@sallyport/test-fixtures'
import { createClassicBinding, createRfcAdapter, type RfcClient } from '../src/index.ts'
import { classicDestination } from './classic-system.ts'

const proxyToken = 'proxy.token.of-the-connectivity-client'
const text = 'what the suite asks for'
const guest = { kind: 'basic', user: 'GUEST', password: createSecret('guest') } as const

/** The protocol has no anonymous users: who presents nothing logs on as guest, and gets nowhere where somebody else is demanded. */
function createAdapter(): ProtocolAdapter<'RFC', RfcClient> {
  const adapter = createRfcAdapter({ clock: systemClock, bindings: [createClassicBinding()] })
  return {
    ...adapter,
    connect: (destination, context) =>
      adapter.connect(destination, context.credentials.kind === 'none' ? { ...context, credentials: guest } : context),
  }
}

const serve = ({ stream }: FarEnd, { credentials }: Demand): void => {
  const { user, password } = credentials.kind === 'basic' ? credentials : guest
  serveAbapGateway(stream, { users: [{ client: '001', user: user.toUpperCase(), password: password.reveal() }] })
}

/** Ends with the client, once this was said. */
const says =
  (...bytes: readonly Buffer[]): ((far: FarEnd) => void) =>
  ({ stream }) => {
    stream.on('end', () => stream.end())
    stream.once('data', () => {
      for (const each of bytes) stream.write(each)
    })
  }

const greeting = formatGatewayConnect(acceptedGatewayConnect(clientGatewayConnect({ program: 'sallyport', hostName: 'sallyport' })))

const common = {
  destination: ({ host, port }: Address): RfcDestination =>
    classicDestination({
      'jco.client.gwhost': host,
      'jco.client.gwserv': String(port),
      'jco.client.cloud_connector_location_id': 'orlando',
    }),
  create: createAdapter,
  serve,
  async work(client: RfcClient, signal: AbortSignal): Promise<void> {
    const { ECHOTEXT } = await client.call('STFC_CONNECTION', { REQUTEXT: text }, { signal })
    if (ECHOTEXT !== text) throw new ConnectivityError('PROTOCOL_VIOLATION', 'this is no answer to the question')
  },
  beginAnswer: ({ stream }: FarEnd): unknown => stream.write(formatNiFrame(greeting).subarray(0, 30)),
  hostile: {
    'a length without bounds': says(Buffer.from('ffffffff', 'hex')),
    'a web server': says(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
    'an empty message': says(formatNiFrame(Buffer.from([0]))),
    'a greeting that refuses': says(formatNiFrame(Buffer.concat([greeting.subarray(0, 58), Buffer.from('000000ec0000', 'hex')]))),
    'a greeting of another version': says(formatNiFrame(Buffer.concat([Buffer.from([9]), greeting.subarray(1)]))),
    'two greetings at once': says(Buffer.concat([formatNiFrame(greeting), formatNiFrame(greeting)])),
    'a greeting, and then nonsense': says(formatNiFrame(greeting), formatNiFrame(Buffer.alloc(80, 6))),
  },
} satisfies Partial<AdapterParts<'RFC', RfcClient, FarSide>>

const features = { basic: true, header: false, principal: false, locations: true, answers: true }

describeAdapter('rfc by classic over a dial in memory', { ...common, open: async () => createMemoryNetwork(), features })

describeAdapter('rfc by classic over sockets', {
  ...common,
  open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }),
  features,
})

describeAdapter('rfc by classic over SOCKS5 of a connectivity proxy', {
  ...common,
  async open() {
    const network = createSocketNetwork()
    const proxy = await createSocksServer({ token: proxyToken, route: (_host, port) => ({ host: '127.0.0.1', port }) })
    return {
      dial: createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(proxyToken) }),
      serve: async (handler: (far: FarEnd) => void) => ({ ...(await network.serve(handler)), host: 'erp.virtual' }),
      unused: async () => ({ ...(await network.unused()), host: 'erp.virtual' }),
      async idle() {
        await Promise.all([network.idle(), proxy.idle()])
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
      },
    }
  },
  features,
  secrets: [proxyToken],
})
