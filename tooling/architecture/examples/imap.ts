import { type Credentials, type DestinationOf, type Dial, type Logger, parseDestination, silentLogger } from '@sallyport/core'

export const typesOnly = 'it needs a mailbox'
export const destination = parseDestination({
  Name: 'INBOX',
  Type: 'MAIL',
  'mail.imap4.host': 'mail.virtual',
  ProxyType: 'OnPremise',
}) as DestinationOf<'MAIL'>
export const dial: Dial = () => Promise.reject(new Error('nobody is there'))
export const credentials: Credentials = { kind: 'none' }
export const signal: AbortSignal = AbortSignal.timeout(10_000)
export const log: Logger = silentLogger
export async function store(_uid: number, _message: Buffer | undefined): Promise<void> {}
