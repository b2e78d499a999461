import { randomBytes } from 'node:crypto'
import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import {
  createMemoryGrantStore,
  createMemorySigningKeyStore,
  createPasswordHasher,
  defaultLimits,
  type GrantStore,
  type SigningKeyStore,
} from '../src/index.ts'
import { ids, secrets, startService } from './running-service.ts'

const app = { client_id: ids.app, client_secret: secrets.app }

it('CL-036 passwords that are being hashed hold up nobody else: whoever comes with the secret of a client is answered meanwhile', async () => {
  const hasher = createPasswordHasher({ random: randomBytes })
  const released = Promise.withResolvers<void>()
  let waiting = 0
  await using running = await startService({
    hasher: {
      ...hasher,
      async verify(password, stored) {
        waiting += 1
        await released.promise
        return hasher.verify(password, stored)
      },
    },
  })
  const logOns = Array.from({ length: 2 }, () =>
    running.token({ grant_type: 'password', ...app, username: 'root', password: 'battery staple' }),
  )
  const others = await Promise.all(Array.from({ length: 40 }, () => running.token({ grant_type: 'client_credentials', ...app })))
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200))
  expect(waiting).toBeGreaterThan(0)
  released.resolve()
  expect((await Promise.all(logOns)).map(({ status }) => status)).toEqual([200, 200])
})

it('CL-200 an answer costs no password hash and no look into the store of keys, however many ask at once; nothing but what a user may come back with is stored', async () => {
  const calls = { hashed: 0, listed: 0, added: 0, found: 0 }
  const hasher = createPasswordHasher({ random: randomBytes })
  const keys = createMemorySigningKeyStore()
  const grants = createMemoryGrantStore({ clock: createManualClock(), bounds: defaultLimits })
  await using running = await startService({
    hasher: { ...hasher, verify: (...given) => ((calls.hashed += 1), hasher.verify(...given)) },
    keys: { ...keys, list: () => ((calls.listed += 1), keys.list()) } satisfies SigningKeyStore,
    grants: {
      ...grants,
      add: (...given) => ((calls.added += 1), grants.add(...given)),
      find: (...given) => ((calls.found += 1), grants.find(...given)),
    } satisfies GrantStore,
  })
  const bearer = { ...app, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: await running.userToken() }
  const kinds = [{ ...app, grant_type: 'client_credentials' }, bearer]
  await running.token(kinds[0] ?? {})
  Object.assign(calls, { hashed: 0, listed: 0, added: 0, found: 0 })
  const oneClient = async (at: number): Promise<void> => {
    for (let count = 0; count < 8; count++) expect((await running.token(kinds[(at + count) % 2] ?? {})).status).toBe(200)
  }
  await Promise.all(Array.from({ length: 32 }, (_, at) => oneClient(at)))
  expect(calls).toMatchObject({ hashed: 0, listed: 0, found: 0 })
  // Half of the 256 are for a user, who gets a refresh token.
  expect(calls.added).toBeLessThanOrEqual(128)
})
