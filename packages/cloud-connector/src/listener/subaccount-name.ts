import type { BackendStatus } from '../connector-status.ts'

/** The members that name a subaccount in every answer. */
export function nameOf(each: Pick<BackendStatus, 'tunnelEndpoint' | 'subaccount' | 'locationId'>): {
  readonly regionHost: string
  readonly subaccount: string
  readonly locationID: string
} {
  return { regionHost: regionHostOf(each.tunnelEndpoint), subaccount: each.subaccount, locationID: each.locationId }
}

/** Host of the cloud side. */
export function regionHostOf(tunnelEndpoint: string): string {
  return URL.parse(tunnelEndpoint)?.hostname ?? ''
}
