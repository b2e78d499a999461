import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'

/** Fragments may have changed what was checked when the destination was stored. @throws ConnectivityError `DESTINATION_INVALID`. */
export function requireOnPremise(configuration: DestinationRecord): void {
  if (configuration['ProxyType'] === 'OnPremise') return
  throw new ConnectivityError('DESTINATION_INVALID', `Authentication "${configuration['Authentication']}" needs the ProxyType "OnPremise"`)
}
