import { ConnectivityError } from '@sallyport/core'

/** An issuer names exactly one entry; two would let the order decide whose keys count. */
export function addIssuer<T>(entries: Map<string, T>, issuer: string, entry: T): void {
  if (issuer === '') throw new ConnectivityError('CONFIGURATION_INVALID', 'a trusted issuer has an empty name')
  if (entries.has(issuer)) throw new ConnectivityError('CONFIGURATION_INVALID', `the issuer ${issuer} is configured twice`)
  entries.set(issuer, entry)
}
