import { ConnectivityError } from '@sallyport/core'
import { type ListedSubaccount, subaccountPath } from './chosen-subaccount.ts'
import { segmentOf } from './path-segment.ts'

/** A mapping as the REST API shows it. */
export interface ShownMapping {
  readonly virtualHost: string
  readonly virtualPort: string
  readonly localHost: string
  readonly localPort: string
  readonly protocol: string
  readonly backendType: string
  readonly authenticationMode: string
  readonly description?: string
  readonly totalResourcesCount: number
  readonly enabledResourcesCount: number
}

/** Path of a mapping, or of all. */
export function mappingPath(key: ListedSubaccount, virtual?: string, kind: 'v1' | 'private' = 'v1'): string {
  const all = `${subaccountPath(key, kind)}/systemMappings`
  return virtual === undefined ? all : `${all}/${segmentOf('mapping', virtual)}`
}

/** The mapping that a command names is not there. */
export function noSuchMapping(virtual: string): ConnectivityError {
  return new ConnectivityError('NOT_FOUND', `no mapping has the virtual host and port ${virtual}`, {
    details: { next: 'sallyport mapping list' },
  })
}
