import { ConnectivityError } from '@sallyport/core'
import { z } from 'zod'
import { createAdminCall, type DestinationAdminClientOptions } from './admin-call.ts'
import { destinationListSchema, type FindResult, findResultSchema } from './destination-answers.ts'
import type { DestinationRecord } from './destination.ts'
import type { EditedCollection } from './destination-administration/administration-client.ts'
import { maxSetRounds } from './limits.ts'

/** Where a destination lives; whose subaccount and instance is meant follows from the token. */
export type DestinationLevel = 'subaccount' | 'instance'

/** Administers destinations and looks them up. Every method throws `ConnectivityError` for anything but the outcomes it names. */
export interface DestinationAdminClient {
  /** All destinations of a level, ordered by name, passwords included. */
  list(level: DestinationLevel): Promise<readonly DestinationRecord[]>
  /** Passwords included; fragments only when asked for. */
  get(level: DestinationLevel, name: string, collection?: EditedCollection): Promise<Readonly<Record<string, string>> | undefined>
  /** Creates the destination or replaces the one of that name as a whole. */
  set(level: DestinationLevel, destination: DestinationRecord): Promise<'created' | 'replaced'>
  /** `false` when there was none. */
  delete(level: DestinationLevel, name: string): Promise<boolean>
  /** Looks a destination up as an application does: the instance's first, then the subaccount's, with its token. */
  find(name: string, options?: FindOptions): Promise<FindResult | undefined>
}

/** What an application would say in headers and query of a find. */
export interface FindOptions {
  readonly skipTokenRetrieval?: boolean
  readonly skipCredentials?: boolean
  /** Subdomain for a token service URL that several tenants share. */
  readonly tenant?: string
  readonly userToken?: string
}

/** Makes the client; nothing is sent before the first call. */
export function createDestinationAdminClient(options: DestinationAdminClientOptions): DestinationAdminClient {
  const call = createAdminCall(options, '/destination-configuration/v1')
  const all = (level: DestinationLevel): string => `/${level}Destinations`
  const member = (level: DestinationLevel, name: string): string => `${all(level)}/${encodeURIComponent(name)}`

  return {
    async list(level) {
      const { body } = await call(`listing the destinations of the ${level}`, {
        method: 'GET',
        path: all(level),
        schema: destinationListSchema,
      })
      return body ?? []
    },
    async get(level, name, collection = 'destinations') {
      const isFragment = collection === 'fragments'
      const { body } = await call(`reading "${name}" of the ${collection}`, {
        method: 'GET',
        path: isFragment ? `/${level}DestinationFragments/${encodeURIComponent(name)}` : member(level, name),
        schema: z.record(z.string(), z.string()),
      })
      return body
    },
    async set(level, destination) {
      const attempt = `storing the destination "${destination.Name}"`
      const path = all(level)
      for (let round = 0; round < maxSetRounds; round += 1) {
        const replaced = await call(attempt, { method: 'PUT', path, body: destination })
        if (!replaced.absent) return 'replaced'
        const created = await call(attempt, { method: 'POST', path, body: destination })
        if (!created.taken) return 'created'
        // Somebody created it between our two requests: replace theirs, the last one to write wins.
      }
      throw new ConnectivityError('SERVICE_UNAVAILABLE', `${attempt}: others create and delete it all the time`)
    },
    async delete(level, name) {
      const { absent } = await call(`deleting the destination "${name}"`, { method: 'DELETE', path: member(level, name) })
      return !absent
    },
    async find(name, found = {}) {
      const query = new URLSearchParams()
      if (found.skipTokenRetrieval === true) query.set('$skipTokenRetrieval', 'true')
      if (found.skipCredentials === true) query.set('$skipCredentials', 'true')
      const { body } = await call(`finding the destination "${name}"`, {
        method: 'GET',
        path: `/destinations/${encodeURIComponent(name)}${query.size === 0 ? '' : `?${query}`}`,
        headers: {
          ...(found.tenant === undefined ? {} : { 'x-tenant': found.tenant }),
          ...(found.userToken === undefined ? {} : { 'x-user-token': found.userToken }),
        },
        schema: findResultSchema,
      })
      return body
    },
  }
}
