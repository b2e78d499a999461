import { expect } from 'vitest'
import type { RunningService } from './running-service.ts'

/** An entry of `authTokens` as clients read it. */
export interface Entry {
  readonly type: string
  readonly value: string
  readonly error?: string
  readonly expires_in?: string
  readonly http_header?: { readonly key: string; readonly value: string }
}

/** What find answers, as far as tests look at it. */
export interface Found {
  readonly destinationConfiguration: Readonly<Record<string, string>>
  readonly authTokens?: readonly Entry[]
  readonly certificates?: readonly { readonly Name: string; readonly Content: string; readonly Type: string }[]
}

/** Stores an entity in the subaccount, replacing what was there under the name. */
export async function store(running: RunningService, entity: Readonly<Record<string, string>>, kind = 'Destinations'): Promise<void> {
  const path = `/v1/subaccount${kind}`
  const replaced = await running.call('PUT', path, { body: entity })
  if (replaced.status === 404) expect((await running.call('POST', path, { body: entity })).status).toBe(201)
  else expect(replaced.status).toBe(200)
}

/** Stores a file as a certificate of the subaccount. */
export async function storeFile(running: RunningService, name: string, content: string | Buffer): Promise<void> {
  await store(running, { Name: name, Type: 'CERTIFICATE', Content: Buffer.from(content).toString('base64') }, 'Certificates')
}

/** Looks the destination `d` up, whatever comes of its tokens. */
export async function find(
  running: RunningService,
  headers: Readonly<Record<string, string>> = {},
  options: { readonly token?: string; readonly query?: string } = {},
): Promise<Found> {
  const { status, json } = await running.call('GET', `/v1/destinations/d${options.query ?? ''}`, {
    headers,
    ...(options.token === undefined ? {} : { token: options.token }),
  })
  expect(status).toBe(200)
  expect(json).toMatchObject({ owner: { InstanceId: null }, destinationConfiguration: { Name: 'd' } })
  return json as Found
}

/** The one entry of a look-up of `d`. */
export async function entryOf(...asked: Parameters<typeof find>): Promise<Entry> {
  const { authTokens = [] } = await find(...asked)
  const [entry] = authTokens
  expect(authTokens).toHaveLength(1)
  return entry ?? { type: '', value: '' }
}

/** What a failed retrieval looks like: nothing but its text. */
export const failed = (error: unknown): Entry => ({ type: '', value: '', error: error as string, expires_in: '' })

/** How the text of a failed retrieval begins. */
export const failedBecause = 'Retrieval of OAuthToken failed due to: '
