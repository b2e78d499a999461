import { createServer } from 'node:http'
import { parseDestination, type RfcDestination } from '@sallyport/core'
import type { Demand } from '../adapter-cases/adapter-case.ts'
import type { FarEnd } from '../far-side.ts'
import { askForEcho, type RfcAsks } from './rfc-work.ts'
import type { ScriptedBackend } from './scripted-backend.ts'

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

/** A system that is called over SOAP, and answers that no client should take. The location ID is that of the HTTP connection. */
export const soapBackend: ScriptedBackend<'RFC', RfcAsks> = {
  destination: ({ host, port }, locationId = 'orlando') =>
    parseDestination({
      Name: 'ERP',
      Type: 'RFC',
      'jco.destination.proxy_type': 'OnPremise',
      'jco.client.ashost': 'erp.virtual',
      'jco.client.sysnr': '42',
      'jco.client.client': '001',
      'jco.destination.x.soap_destination': `http://${host}:${port}`,
      'jco.client.cloud_connector_location_id': locationId,
    }) as RfcDestination,
  serve: serveSoap,
  work: askForEcho,
  beginAnswer: ({ stream }) => void stream.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<d:definitions'),
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
  // Parameters and results of a call are values, bounded as a whole.
  features: { basic: true, header: false, principal: false, locations: true, answers: true, longAnswers: false, longRequests: false },
}
