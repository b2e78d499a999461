import type { RouteHop } from '@sallyport/rfc-wire'
import type { FunctionList, FunctionResource } from './function-list.ts'

/** What the data path needs to know of a mapping of protocol RFC or RFCS. Immutable. */
export interface RfcMapping {
  /** What listens at the internal address. */
  readonly backend: RfcBackend
  readonly functions: readonly FunctionResource[]
  readonly list: FunctionList
  /** Empty: all. */
  readonly allowedClients: ReadonlySet<string>
  /** As {@link blockedUserKey} writes them. */
  readonly blockedUsers: ReadonlySet<string>
  /** SAProuters on the way, or the file that names them. */
  readonly route: readonly RouteHop[] | { readonly file: string }
  readonly allowCallbacks: boolean
  readonly strictInitialize: boolean
  /** 0: no limit. */
  readonly idleTimeoutMs: number
}

/** A gateway, or a message server that names the application server of a group. */
export type RfcBackend =
  | { readonly kind: 'gateway'; readonly systemNumber: string }
  /** `systemNumber` is used for application servers whose port does not tell theirs. */
  | { readonly kind: 'message-server'; readonly logonGroup: string; readonly systemNumber: string | undefined }

/** Clients and users are compared in upper case. */
export function blockedUserKey(client: string, user: string): string {
  return `${client.toUpperCase()} ${user.toUpperCase()}`
}

/**
 * Why somebody may not log on, or `undefined`. A blocked user is refused although the client is allowed. Where users are blocked, a logon that names none is
 * refused too: nobody could say who it is.
 */
export function explainLogonRefusal(
  mapping: Pick<RfcMapping, 'allowedClients' | 'blockedUsers'>,
  logon: { readonly client: string | undefined; readonly user: string | undefined },
): string | undefined {
  const { allowedClients, blockedUsers } = mapping
  const client = logon.client?.toUpperCase()
  if (blockedUsers.size > 0) {
    if (logon.user === undefined || logon.user === '') return 'users are blocked on this system, and the logon names none'
    if (client === undefined) return 'users are blocked on this system, and the logon names no client'
    if (blockedUsers.has(blockedUserKey(client, logon.user))) return 'the user is blocked'
  }
  if (allowedClients.size === 0) return undefined
  if (client === undefined) return 'the logon names no client'
  return allowedClients.has(client) ? undefined : 'the client is not allowed'
}
