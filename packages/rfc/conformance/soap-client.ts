import {
  type ConnectContext,
  type Credentials,
  createSecret,
  type HttpDestination,
  type Logger,
  parseDestination,
  type Principal,
  type RfcDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createHttpAdapter, type HttpClient } from '@sallyport/http'
import { createRfcAdapter, createSoapBinding, type RfcClient, type SoapBindingOptions } from '../src/index.ts'

/** A user of the fixture systems. */
export const developer: Credentials = { kind: 'basic', user: 'DEVELOPER', password: createSecret('secret') }

/** A destination that is called over SOAP; the HTTP destination has the URL as its name. */
export function soapDestination(url: string, properties: Readonly<Record<string, string>> = {}): RfcDestination {
  return parseDestination({
    Name: 'ERP',
    Type: 'RFC',
    'jco.destination.proxy_type': 'OnPremise',
    'jco.client.ashost': 'erp.virtual',
    'jco.client.sysnr': '42',
    'jco.client.client': '001',
    'jco.destination.x.soap_destination': url,
    ...properties,
  }) as RfcDestination
}

/** Connects over HTTP, as the context says, to the URL that is the name of the destination. */
export function connectHttp(name: string, context: ConnectContext): Promise<HttpClient> {
  return createHttpAdapter({ clock: systemClock }).connect(
    parseDestination({
      Name: 'SOAP',
      Type: 'HTTP',
      URL: name,
      ProxyType: 'Internet',
      Authentication: 'NoAuthentication',
    }) as HttpDestination,
    context,
  )
}

/** How a client of these tests differs. */
export interface SoapClientOptions {
  readonly properties?: Readonly<Record<string, string>>
  readonly credentials?: Credentials
  readonly principal?: Principal
  readonly binding?: Partial<SoapBindingOptions>
  readonly log?: Logger
}

/** A client of a node, over HTTP. */
export function connectSoap(
  url: string,
  { properties, credentials = developer, principal, binding, log = silentLogger }: SoapClientOptions = {},
): Promise<RfcClient> {
  return createRfcAdapter({ clock: systemClock, bindings: [createSoapBinding({ connectHttp, ...binding })] }).connect(
    soapDestination(url, properties),
    {
      dial: createDirectDial(),
      credentials,
      ...(principal === undefined ? {} : { principal }),
      signal: AbortSignal.timeout(10_000),
      log,
    },
  )
}
