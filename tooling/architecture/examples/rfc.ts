import {
  createSecret,
  type Credentials,
  type DestinationOf,
  type Dial,
  type Logger,
  parseDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createHttpAdapter } from '@sallyport/http'
import { createSoapBinding, type RfcBinding } from '@sallyport/rfc'
import { createSoapNode } from '@sallyport/test-fixtures'

const node = await createSoapNode()

export const destination = parseDestination({
  Name: 'ERP',
  Type: 'RFC',
  'jco.client.ashost': 'erp.virtual',
  'jco.client.sysnr': '42',
  'jco.client.client': '001',
  'jco.client.user': 'DEVELOPER',
  'jco.destination.proxy_type': 'OnPremise',
  'jco.destination.x.soap_destination': 'ERP_HTTP',
}) as DestinationOf<'RFC'>
export const findHttp = async (name: string): Promise<DestinationOf<'HTTP'>> =>
  parseDestination({ Name: name, Type: 'HTTP', URL: node.url }) as DestinationOf<'HTTP'>
export const bindings: readonly RfcBinding[] = [
  createSoapBinding({
    connectHttp: async (name, context) => createHttpAdapter({ clock: systemClock }).connect(await findHttp(name), context),
  }),
]
export const dial: Dial = createDirectDial()
export const credentials: Credentials = { kind: 'basic', user: 'DEVELOPER', password: createSecret('secret') }
export const signal: AbortSignal = AbortSignal.timeout(10_000)
export const log: Logger = silentLogger
export function show(_text: unknown): void {}
