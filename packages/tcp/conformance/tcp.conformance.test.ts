import { type AdapterParts, describeAdapter, type FarEnd, type FarSide } from '@sallyport/conformance'
import {
  type Address,
  createSecret,
  ConnectivityError,
  parseDestination,
  systemClock,
  type TcpDestination,
  underSignal,
} from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { createTcpAdapter, type TcpClient } from '../src/index.ts'

const token = 'header.payload.signature-of-the-proxy'

const common = {
  create: () => createTcpAdapter({ clock: systemClock }),
  destination: ({ host, port }: Address): TcpDestination =>
    parseDestination({
      Name: 'ECHO',
      Type: 'TCP',
      Address: `tcp://${host}:${port}`,
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: 'orlando',
    }) as TcpDestination,
  serve: ({ stream }: FarEnd): void => void stream.pipe(stream),
  async work(client: TcpClient, signal: AbortSignal): Promise<void> {
    const stream = await client.socket({ signal })
    try {
      stream.write('question')
      let answer = ''
      const reading = (async () => {
        for await (const chunk of stream.iterator({ destroyOnReturn: false })) if ((answer += String(chunk)).length >= 8) return
      })()
      await underSignal(reading, signal, 'read the echo')
      if (answer !== 'question') throw new ConnectivityError('PROTOCOL_VIOLATION', 'this is no echo')
    } finally {
      stream.destroy()
    }
  },
} satisfies Partial<AdapterParts<'TCP', TcpClient, FarSide>>

const features = { basic: false, header: false, principal: false, locations: true, answers: false }

describeAdapter('tcp over a dial in memory', { ...common, open: async () => createMemoryNetwork(), features })

describeAdapter('tcp over sockets', {
  ...common,
  async open() {
    const network = createSocketNetwork()
    return { ...network, dial: createDirectDial() }
  },
  features,
})

describeAdapter('tcp through SOCKS5', {
  ...common,
  async open() {
    const network = createSocketNetwork()
    const proxy = await createSocksServer({ token, route: (_host, port) => ({ host: '127.0.0.1', port }) })
    return {
      dial: createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(token) }),
      serve: async (handler: (far: FarEnd) => void) => ({ ...(await network.serve(handler)), host: 'echo.virtual' }),
      unused: async () => ({ ...(await network.unused()), host: 'echo.virtual' }),
      async idle() {
        await Promise.all([network.idle(), proxy.idle()])
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
      },
    }
  },
  features,
  secrets: [token],
})
