import { randomBytes } from 'node:crypto'
import { createSecret, silentLogger } from '@sallyport/core'
import { createManualClock, createTestCa } from '@sallyport/test-fixtures'
import {
  createMemoryGrantStore,
  createMemorySigningKeyStore,
  createPasswordHasher,
  createStaticDirectory,
  createTokenService,
  defaultLimits,
  type TokenService,
} from '@sallyport/token-service'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOutgoing } from '../src/index.ts'
import { type Entry, entryOf, store, storeFile } from './look-up.ts'
import { type RunningService, startService } from './running-service.ts'
import { readAssertion } from './saml-assertion.ts'

const ca = createTestCa()
const server = ca.issue({ subject: '/CN=token service', names: ['localhost', '127.0.0.1'] })
const client = ca.issue({ subject: '/CN=mutual', keyType: 'rsa' })
const tenant = '6a4b2c3d-0000-4000-8000-000000000001'
const caller = 'sb-caller!t1'
const target = 'sb-target!t1'

let tokenService: TokenService
let running: RunningService
let url: string
beforeAll(async () => {
  // Certificates of openssl are valid now.
  const clock = createManualClock(Date.now())
  const hasher = createPasswordHasher({ random: randomBytes })
  tokenService = createTokenService({
    ...createStaticDirectory({
      tenants: [{ id: tenant }],
      clients: [
        { id: caller, tenant, secrets: [createSecret('caller-secret-caller-secret-0123')] },
        { id: target, tenant, secrets: [createSecret('target-secret & more-of-it-456789')] },
        { id: 'sb-mutual!t1', tenant, certificates: [{ subject: 'CN=mutual', issuer: 'CN=Test CA,O=Test' }] },
      ],
      users: [{ tenant, name: 'jane@acme.test', password: createSecret('correct horse'), groups: [], attributes: { country: 'DE' } }],
      hasher,
    }),
    keys: createMemorySigningKeyStore(),
    grants: createMemoryGrantStore({ clock, bounds: defaultLimits }),
    hasher,
    address: { kind: 'loopback' },
    limits: defaultLimits,
    clock,
    random: randomBytes,
    log: silentLogger,
  })
  const { port } = await tokenService.listenHttps({
    host: '127.0.0.1',
    port: 0,
    tls: () => ({ cert: server.certificate, key: server.key, ca: ca.certificate }),
  })
  url = `https://127.0.0.1:${port}/oauth/token`
  const issuer = { issuer: await tokenService.issuerOf(tenant), keys: (await tokenService.publicKeys()) as never }
  running = await startService({
    issuers: [issuer as never],
    outgoing: createOutgoing({ privateAddresses: 'allow', certificateAuthorities: [ca.certificate] }),
  })
  running.clock.set(clock.now())
  await storeFile(running, 'client.pem', `${client.certificate}\n${client.key}`)
  await storeFile(running, 'own.pem', `${client.certificate}\n${client.key}`)
})
afterAll(async () => {
  await running.close()
  await tokenService.close()
})

const destination = (Authentication: string, more: Record<string, string> = {}): Record<string, string> => ({
  Name: 'd',
  Type: 'HTTP',
  URL: 'https://x',
  ProxyType: 'Internet',
  Authentication,
  clientId: target,
  clientSecret: 'target-secret & more-of-it-456789',
  tokenServiceURL: url,
  ...more,
})
const jane = async (): Promise<Record<string, string>> => ({
  'x-user-token': (await tokenService.issueUserToken({ tenant, user: 'jane@acme.test', clientId: caller })).access_token,
})
const claimsOf = (entry: Entry): Record<string, unknown> =>
  JSON.parse(Buffer.from(entry.value.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>

describe('our own token service', () => {
  it.each([
    ['in the form', {}],
    ['in the header', { 'tokenService.addClientCredentialsInBody': 'false' }],
    ['as technical user', { clientSecret: '', tokenServiceUser: target, tokenServicePassword: 'target-secret & more-of-it-456789' }],
    ['by certificate', { clientId: 'sb-mutual!t1', 'tokenService.KeyStoreLocation': 'client.pem' }],
  ])('issues technical tokens to clients that prove themselves %s', async (_how, more: Record<string, string>) => {
    await store(running, destination('OAuth2ClientCredentials', more))
    const entry = await entryOf(running)
    expect(entry).toMatchObject({ type: 'Bearer', expires_in: expect.stringMatching(/^\d+$/) as string })
    expect(claimsOf(entry)).toMatchObject({ cid: more['clientId'] ?? target })
  })

  it('says why it issues none, and the caller hears it', async () => {
    await store(running, destination('OAuth2ClientCredentials', { clientSecret: 'wrong' }))
    expect((await entryOf(running)).error).toBe('Retrieval of OAuthToken failed due to: Bad client credentials')
  })

  it.each(['OAuth2JWTBearer', 'OAuth2UserTokenExchange'])(
    'exchanges a user’s token for one of the destination’s client: %s',
    async (type) => {
      await store(running, destination(type))
      const entry = await entryOf(running, await jane())
      expect(claimsOf(entry)).toMatchObject({ cid: target, user_name: 'jane@acme.test' })
    },
  )

  it('DS-105 DS-106 knows passwords, and renews what it has issued', async () => {
    await store(running, destination('OAuth2Password', { User: 'jane@acme.test', Password: 'correct horse' }))
    const entry = (await entryOf(running)) as Entry & { readonly refresh_token: string }
    expect(claimsOf(entry)).toMatchObject({ cid: target, user_name: 'jane@acme.test' })
    await store(running, destination('OAuth2RefreshToken'))
    const renewed = await entryOf(running, { 'x-refresh-token': entry.refresh_token })
    expect(claimsOf(renewed)).toMatchObject({ user_name: 'jane@acme.test' })
  })

  it('DS-101 tells SAML destinations about its users', async () => {
    const saml = { audience: 'a', authnContextClassRef: 'c', KeyStoreLocation: 'own.pem' }
    await store(running, destination('SAMLAssertion', saml))
    const { attributes } = readAssertion((await entryOf(running, await jane())).value)
    expect(attributes).toMatchObject({ user_name: ['jane@acme.test'], 'user_attributes.country': ['DE'] })
  })
})
