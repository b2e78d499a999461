import { createSecret, parseDestination, type ProtocolAdapter, type ProtocolClient, type RfcDestination } from '@sallyport/core'
import { acceptedGatewayConnect, clientGatewayConnect, formatGatewayConnect, formatNiFrame } from '@sallyport/rfc-wire'
import type { FarEnd } from '../far-side.ts'
import { serveAbapGateway } from './abap-gateway/abap-gateway.ts'
import { askForEcho, type RfcAsks } from './rfc-work.ts'
import type { ScriptedBackend } from './scripted-backend.ts'

const guest = { kind: 'basic', user: 'GUEST', password: createSecret('guest') } as const

/** The protocol has no anonymous users: who presents nothing logs on as guest, and gets nowhere where somebody else is demanded. */
export function withGuest<Client extends ProtocolClient>(adapter: ProtocolAdapter<'RFC', Client>): ProtocolAdapter<'RFC', Client> {
  return {
    ...adapter,
    connect: (destination, context) =>
      adapter.connect(destination, context.credentials.kind === 'none' ? { ...context, credentials: guest } : context),
  }
}

/** Says this to whatever is asked first, and ends with the client. */
const says =
  (...bytes: readonly Buffer[]): ((far: FarEnd) => void) =>
  ({ stream }) => {
    stream.on('end', () => stream.end())
    stream.once('data', () => {
      for (const each of bytes) stream.write(each)
    })
  }

const greeting = formatGatewayConnect(acceptedGatewayConnect(clientGatewayConnect({ program: 'sallyport', hostName: 'sallyport' })))

/** A system that is called over its gateway, and gateways that no client should talk to. Its adapter goes through {@link withGuest}. */
export const classicRfcBackend: ScriptedBackend<'RFC', RfcAsks> = {
  destination: ({ host, port }, locationId = 'orlando') =>
    parseDestination({
      Name: 'ERP',
      Type: 'RFC',
      'jco.destination.proxy_type': 'OnPremise',
      'jco.destination.x.binding': 'classic',
      'jco.client.ashost': host,
      'jco.client.sysnr': '42',
      'jco.client.gwhost': host,
      'jco.client.gwserv': String(port),
      'jco.client.client': '001',
      ...(locationId === '' ? {} : { 'jco.client.cloud_connector_location_id': locationId }),
    }) as RfcDestination,
  serve({ stream }, { credentials }) {
    const { user, password } = credentials.kind === 'basic' ? credentials : guest
    serveAbapGateway(stream, { users: [{ client: '001', user: user.toUpperCase(), password: password.reveal() }] })
  },
  work: askForEcho,
  beginAnswer: ({ stream }) => void stream.write(formatNiFrame(greeting).subarray(0, 30)),
  hostile: {
    'a length without bounds': says(Buffer.from('ffffffff', 'hex')),
    'a web server': says(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
    'an empty message': says(formatNiFrame(Buffer.from([0]))),
    'a greeting that refuses': says(formatNiFrame(Buffer.concat([greeting.subarray(0, 58), Buffer.from('000000ec0000', 'hex')]))),
    'a greeting of another version': says(formatNiFrame(Buffer.concat([Buffer.from([9]), greeting.subarray(1)]))),
    'two greetings at once': says(Buffer.concat([formatNiFrame(greeting), formatNiFrame(greeting)])),
    'a greeting, and then nonsense': says(formatNiFrame(greeting), formatNiFrame(Buffer.alloc(80, 6))),
  },
  // Parameters and results of a call are values, bounded as a whole.
  features: { basic: true, header: false, principal: false, locations: true, answers: true, longAnswers: false, longRequests: false },
}
