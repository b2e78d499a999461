import { ConnectivityError, withDeadline } from '@sallyport/core'
import type { z } from 'zod'
import type { AdminRequest, AdminRequestInit } from './admin-request.ts'
import { isAbsent, refusedError, requireTokenText, tryParseJson, unreachableError, unreadableError } from './destination-admin-errors.ts'
import { destinationListSchema, destinationRecordSchema, type FindResult, findResultSchema } from './destination-answers.ts'
import type { DestinationRecord } from './destination.ts'
import { defaultAnswerTimeoutMs, maxSetRounds } from './limits.ts'

/** Where a destination lives; whose subaccount and instance is meant follows from the token. */
export type DestinationLevel = 'subaccount' | 'instance'

/** Administers destinations and looks them up. Every method throws `ConnectivityError` for anything but the outcomes it names. */
export interface DestinationAdminClient {
  /** All destinations of a level, ordered by name, passwords included. */
  list(level: DestinationLevel): Promise<readonly DestinationRecord[]>
  get(level: DestinationLevel, name: string): Promise<DestinationRecord | undefined>
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

/** Where the service is and how to get there. */
export interface DestinationAdminClientOptions {
  /** Address of the destination service as a binding has it, without `/destination-configuration`. */
  readonly url: string
  /** Called for every request; the caller caches. */
  readonly token: (signal: AbortSignal) => Promise<string>
  readonly request: AdminRequest
  /** Covers token, request and answer of one call; 30 seconds unless told. */
  readonly timeoutMs?: number
}

/** Makes the client; nothing is sent before the first call. */
export function createDestinationAdminClient(options: DestinationAdminClientOptions): DestinationAdminClient {
  const base = `${options.url.replace(/\/+$/, '')}/destination-configuration/v1`

  async function call<T>(attempt: string, init: Call<T>): Promise<Outcome<T>> {
    const signal = withDeadline(options.timeoutMs ?? defaultAnswerTimeoutMs)
    let status: number
    let text: string
    try {
      const token = await options.token(signal)
      for (const sentToken of [token, init.headers?.['x-user-token']]) requireTokenText(attempt, sentToken)
      const headers = { accept: 'application/json', ...init.headers, authorization: `Bearer ${token}` }
      const sent: AdminRequestInit =
        init.body === undefined
          ? { method: init.method, headers, redirect: 'manual', signal }
          : {
              method: init.method,
              headers: { ...headers, 'content-type': 'application/json' },
              body: JSON.stringify(init.body),
              redirect: 'manual',
              signal,
            }
      const answer = await options.request(base + init.path, sent)
      status = answer.status
      text = await answer.text()
    } catch (error) {
      throw unreachableError(attempt, signal, error)
    }
    if (isAbsent(status, text)) return { absent: true, taken: false, body: undefined }
    if (status === 409 && init.method === 'POST') return { absent: false, taken: true, body: undefined }
    if (status < 200 || status > 299) throw refusedError(attempt, status, text)
    if (init.schema === undefined) return { absent: false, taken: false, body: undefined }
    const body = init.schema.safeParse(tryParseJson(text))
    if (!body.success) throw unreadableError(attempt)
    return { absent: false, taken: false, body: body.data }
  }

  const collection = (level: DestinationLevel): string => `/${level}Destinations`
  const member = (level: DestinationLevel, name: string): string => `${collection(level)}/${encodeURIComponent(name)}`

  return {
    async list(level) {
      const { body } = await call(`listing the destinations of the ${level}`, {
        method: 'GET',
        path: collection(level),
        schema: destinationListSchema,
      })
      return body ?? []
    },
    async get(level, name) {
      const { body } = await call(`reading the destination "${name}"`, {
        method: 'GET',
        path: member(level, name),
        schema: destinationRecordSchema,
      })
      return body
    },
    async set(level, destination) {
      const attempt = `storing the destination "${destination.Name}"`
      const path = collection(level)
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

interface Call<T> {
  readonly method: AdminRequestInit['method']
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: DestinationRecord
  readonly schema?: z.ZodType<T>
}

interface Outcome<T> {
  /** There is no such destination. */
  readonly absent: boolean
  /** There is one of that name already. */
  readonly taken: boolean
  readonly body: T | undefined
}
