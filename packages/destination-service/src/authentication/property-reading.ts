import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'

/** Whether a property says yes, in any case. */
export function isTrue(properties: DestinationRecord, name: string): boolean {
  return properties[name]?.trim().toLowerCase() === 'true'
}

/** Whether a property says no, in any case. */
export function isFalse(properties: DestinationRecord, name: string): boolean {
  return properties[name]?.trim().toLowerCase() === 'false'
}

/** A property that a flow cannot do without. @throws ConnectivityError `DESTINATION_INVALID` when it is missing or empty. */
export function required(properties: DestinationRecord, name: string): string {
  const value = properties[name]
  if (value) return value
  throw new ConnectivityError('DESTINATION_INVALID', `The property ${name} is missing`)
}

/** Properties below a prefix, as pairs of what follows it and their value. */
export function withPrefix(properties: DestinationRecord, prefix: string): [string, string][] {
  return Object.entries(properties).flatMap(([key, value]): [string, string][] =>
    key.startsWith(prefix) && key.length > prefix.length ? [[key.slice(prefix.length), value]] : [],
  )
}
