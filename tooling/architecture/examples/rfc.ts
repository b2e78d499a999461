import { type Credentials, type DestinationOf, type Dial, type Logger, parseDestination, silentLogger } from '@sallyport/core'
import type { RfcBinding, RfcValue } from '@sallyport/rfc'

export const typesOnly = 'it needs a binding'
export const destination = parseDestination({
  Name: 'ERP',
  Type: 'RFC',
  'jco.client.ashost': 'erp.virtual',
  'jco.client.sysnr': '42',
  'jco.client.client': '800',
  'jco.client.user': 'JANE',
  'jco.destination.proxy_type': 'OnPremise',
}) as DestinationOf<'RFC'>
export const bindings: readonly RfcBinding[] = []
export const dial: Dial = () => Promise.reject(new Error('nobody is there'))
export const credentials: Credentials = { kind: 'none' }
export const signal: AbortSignal = AbortSignal.timeout(10_000)
export const log: Logger = silentLogger
export function show(_text: RfcValue | undefined): void {}
