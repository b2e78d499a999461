import { createServer } from 'node:http'
import { type AdapterParts, type Demand, describeAdapter, type FarEnd, type FarSide } from '@sallyport/conformance'
import {
  type Address,
  ConnectivityError,
  createSecret,
  type HttpDestination,
  parseDestination,
  type RfcDestination,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createHttpAdapter, type HttpAdapterOptions } from '@sallyport/http'
import { createForwardProxy, createMemoryNetwork, createSocketNetwork } from '@sallyport/test-fixtures'
import { createRfcAdapter, createSoapBinding, type RfcBinding, type RfcClient } from '../src/index.ts'
import { soapDestination } from './soap-client.ts'

const proxyToken = 'proxy.token.of-the-connectivity-client'
const text = 'what the suite asks for'

const envelope = (content: string): string =>
  `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${content}</e:Body></e:Envelope>`
const answer = (name: string, content = ''): string =>
  envelope(`<r:${name}.Response xmlns:r="urn:sap-com:document:sap:rfc:functions">${content}</r:${name}.Response>`)
const wsdl =
  '<d:definitions xmlns:d="http://schemas.xmlsoap.org/wsdl/" xmlns:x="http://www.w3.org/2001/XMLSchema"><d:types><x:schema>' +
  '<x:element name="STFC_CONNECTION"><x:complexType><x:all><x:element name="REQUTEXT" type="x:string"/></x:all></x:complexType></x:element>' +
  '<x:element name="STFC_CONNECTION.Response"><x:complexType><x:all><x:element name="ECHOTEXT" type="x:string"/></x:all></x:complexType></x:element>' +
  '</x:schema></d:types></d:definitions>'

/** A system that knows who may ask. */
function serveSoap({ stream }: FarEnd, { credentials, principal }: Demand): void {
  const server = createServer((request, response) => {
    const { authorization } = request.headers
    const welcome =
      (credentials.kind !== 'basic' ||
        authorization === `Basic ${Buffer.from(`${credentials.user}:${credentials.password.reveal()}`).toString('base64')}`) &&
      (credentials.kind !== 'principal' || request.headers['x-test-principal'] === `Bearer ${principal?.token.reveal()}`)
    let body = ''
    request.on('data', (part) => (body += String(part)))
    request.on('end', () => {
      response.setHeader('content-type', 'text/xml')
      if (!welcome) response.writeHead(401).end()
      else if (request.method === 'GET') response.end(wsdl)
      else if (body.includes('RFC_PING')) response.end(answer('RFC_PING'))
      else response.end(answer('STFC_CONNECTION', `<ECHOTEXT>${/<REQUTEXT>(.*)<\/REQUTEXT>/.exec(body)?.[1] ?? ''}</ECHOTEXT>`))
    })
  })
  server.emit('connection', stream)
}

/** Once a request has come, sends an answer of this body. */
const answerWith =
  (body: string): ((far: FarEnd) => void) =>
  ({ stream }) => {
    stream.on('end', () => stream.end())
    stream.once('data', () => stream.write(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`))
  }

/** An HTTP client of the connectivity proxy, or of the context's dial. */
function soapBinding(options: Partial<HttpAdapterOptions>): RfcBinding {
  return createSoapBinding({
    connectHttp(name, context) {
      const properties = { Name: name, Type: 'HTTP', URL: name, ProxyType: 'OnPremise', CloudConnectorLocationId: 'orlando' }
      return createHttpAdapter({ clock: systemClock, ...options }).connect(parseDestination(properties) as HttpDestination, context)
    },
  })
}

const common = {
  destination: ({ host, port }: Address): RfcDestination =>
    soapDestination(`http://${host}:${port}`, { 'jco.client.cloud_connector_location_id': 'orlando' }),
  serve: serveSoap,
  async work(client: RfcClient, signal: AbortSignal): Promise<void> {
    const { ECHOTEXT } = await client.call('STFC_CONNECTION', { REQUTEXT: text }, { signal })
    if (ECHOTEXT !== text) throw new ConnectivityError('PROTOCOL_VIOLATION', 'this is no answer to the question')
  },
  beginAnswer: ({ stream }: FarEnd): unknown => stream.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<d:definitions'),
  hostile: {
    'a document type': answerWith('<!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>'),
    'an entity that nobody declared': answerWith('<d>&secret;</d>'),
    'elements that are not closed': answerWith('<a><b></a>'),
    'elements in a thousand others': answerWith(`${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}`),
    'a prefix without namespace': answerWith('<d:definitions/>'),
    'another encoding than it says': answerWith('<?xml version="1.0" encoding="utf-16"?><d/>'),
    'an encoding that nobody knows': answerWith('<?xml version="1.0" encoding="ebcdic"?><d/>'),
    'no WSDL': answerWith('<definitions/>'),
    nothing: answerWith(''),
  },
} satisfies Partial<AdapterParts<'RFC', RfcClient, FarSide>>

const features = { basic: true, header: false, principal: false, locations: true, answers: true }

describeAdapter('rfc by soap over a dial in memory', {
  ...common,
  open: async () => createMemoryNetwork(),
  create: () => createRfcAdapter({ clock: systemClock, bindings: [soapBinding({})] }),
  features,
})

describeAdapter('rfc by soap over sockets', {
  ...common,
  open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }),
  create: () => createRfcAdapter({ clock: systemClock, bindings: [soapBinding({})] }),
  features,
})

describeAdapter('rfc by soap through a connectivity proxy', {
  ...common,
  async open() {
    const network = createSocketNetwork()
    const proxy = await createForwardProxy({
      tokens: [proxyToken],
      route: (host, port, locationId) => (host === 'erp.virtual' && locationId === 'orlando' ? { host: '127.0.0.1', port } : 403),
    })
    return {
      dial: createDirectDial(),
      proxy: proxy.address,
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
  create: ({ proxy }) =>
    createRfcAdapter({
      clock: systemClock,
      bindings: [soapBinding({ proxy: { address: proxy, tenant: 'acme', token: async () => createSecret(proxyToken) } })],
    }),
  features: { ...features, principal: true, locations: false },
  secrets: [proxyToken],
})
