import { type Credentials, type DestinationOf, type Dial, type Logger, parseDestination, silentLogger } from '@sallyport/core'

export const typesOnly = 'it needs a mail server'
export const destination = parseDestination({
  Name: 'POST',
  Type: 'MAIL',
  ProxyType: 'OnPremise',
  'mail.smtp.host': 'relay.virtual',
}) as DestinationOf<'MAIL'>
export const dial: Dial = () => Promise.reject(new Error('nobody is there'))
export const credentials: Credentials = { kind: 'none' }
export const signal: AbortSignal = AbortSignal.timeout(10_000)
export const log: Logger = silentLogger
export const pdf: Buffer = Buffer.from('%PDF-1.7')
export function show(_line: string): void {}
