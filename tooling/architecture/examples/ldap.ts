import { type Credentials, type DestinationOf, type Dial, type Logger, parseDestination, silentLogger } from '@sallyport/core'

export const typesOnly = 'it needs a directory'
export const destination = parseDestination({
  Name: 'DIRECTORY',
  Type: 'LDAP',
  'ldap.url': 'ldap://directory.virtual',
  'ldap.proxyType': 'OnPremise',
}) as DestinationOf<'LDAP'>
export const dial: Dial = () => Promise.reject(new Error('nobody is there'))
export const credentials: Credentials = { kind: 'none' }
export const signal: AbortSignal = AbortSignal.timeout(10_000)
export const log: Logger = silentLogger
export const uid: string = 'jane'
export function show(_dn: string, _mail: readonly string[] | undefined): void {}
