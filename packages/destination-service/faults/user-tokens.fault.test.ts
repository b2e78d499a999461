import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createForeignTokens } from '../src/authentication/foreign-token.ts'
import { createKeystoreReader } from '../src/authentication/keystore-reader.ts'
import { createKeySets } from '../src/authentication/user-key-sets.ts'
import { entryOf, store } from '../conformance/look-up.ts'
import { type RunningService, startService } from '../conformance/running-service.ts'
import { startTokenServer, type TokenServer } from '../conformance/token-server.ts'

const clock = createManualClock()
const now = clock.now() / 1_000
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = (key: KeyObject, more: object = {}): object => ({ ...key.export({ format: 'jwk' }), ...more })
const genuineKeys = [jwk(rsa.publicKey, { kid: 'r' }), jwk(ec.publicKey, { kid: 'e' })]

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toString('base64url')
const signed = (header: unknown, payload: unknown, key: KeyObject): string => {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
const genuine = (claims: object = {}): string =>
  signed({ alg: 'RS256', typ: 'JWT', kid: 'r' }, { sub: 'jane', exp: now + 600, ...claims }, rsa.privateKey)

const tokens = createForeignTokens({
  clock,
  keySets: createKeySets({
    outgoing: { send: () => Promise.reject(new ConnectivityError('PEER_UNREACHABLE', 'nobody is there')) },
    readKeystore: createKeystoreReader(),
    clock,
    closing: new AbortController().signal,
  }),
})

/** What becomes of a token with that key set: `true`, or the sentence of one of our errors. */
async function verdictOf(token: string, jwks: string): Promise<true | string> {
  const references = { certificate: async () => undefined, destination: async () => undefined, signingKey: async () => undefined }
  const request = {
    configuration: { Name: 'd', Type: 'HTTP', 'x_user_token.jwks': jwks },
    level: { subaccountId: 's', instanceId: null },
    references,
  }
  try {
    return (await tokens.verify(token, request)).configured as true
  } catch (error) {
    if (!ConnectivityError.is(error)) throw error
    return error.message
  }
}
const base64 = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')

const anything = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary', maxLength: 40 }), fc.double())
const algorithm = fc.oneof(fc.constantFrom('RS256', 'PS256', 'ES256', 'HS256', 'none', 'RSA1_5', 'EdDSA', 'rs256', 'toString'), anything)
const header = fc.record(
  {
    alg: algorithm,
    typ: anything,
    kid: fc.oneof(fc.constantFrom('r', 'e', ''), anything),
    crit: anything,
    jwk: fc.constant(jwk(stranger.publicKey)),
  },
  { requiredKeys: ['alg'] },
)
const times = fc.oneof(fc.constantFrom(now + 600, now - 600, 0, -1, 1e300, '1'), anything)
const claims = fc.record({ exp: times, nbf: times, iat: times, sub: anything }, { requiredKeys: [] })

describe('user tokens that nobody has issued', () => {
  it('are never taken, however they are put together', async () => {
    expect(await verdictOf(genuine(), base64({ keys: genuineKeys }))).toBe(true)
    const hmac = (text: string): string =>
      createHmac('sha256', rsa.publicKey.export({ type: 'spki', format: 'pem' }))
        .update(text)
        .digest('base64url')
    const forged = fc.oneof(
      fc.tuple(header, claims).map(([head, payload]) => signed(head, payload, stranger.privateKey)),
      fc.tuple(header, claims, fc.string()).map(([head, payload, signature]) => `${part(head)}.${part(payload)}.${part(signature)}`),
      // The public key as if it were a shared secret.
      fc.tuple(header, claims).map(([head, payload]) => `${part(head)}.${part(payload)}.${hmac(`${part(head)}.${part(payload)}`)}`),
      claims.map((payload) => `${part({ alg: 'none' })}.${part(payload)}.`),
      fc.string({ unit: 'binary' }),
      // A genuine signature below other claims.
      claims.map((payload) => [genuine().split('.')[0], part(payload), genuine().split('.')[2]].join('.')),
      fc.constantFrom('', '.', '..', '...', 'a.b.c', `${'a'.repeat(20_000)}.b.c`),
    )
    await fc.assert(
      fc.asyncProperty(forged, async (token) => {
        const verdict = await verdictOf(token, base64({ keys: genuineKeys }))
        expect(typeof verdict).toBe('string')
        expect(token.length >= 30 && String(verdict).includes(token.slice(0, 30))).toBe(false)
      }),
      { numRuns: 2_000 },
    )
  })

  it('are not taken before or after their time, even when their issuer has signed them', async () => {
    await fc.assert(
      fc.asyncProperty(claims, async (generated) => {
        // As they arrive: JSON has no infinite numbers.
        const { exp, nbf, iat } = JSON.parse(JSON.stringify(generated)) as typeof generated
        const token = genuine({ exp, nbf, iat })
        const starts = nbf ?? iat ?? 0
        const holds = typeof exp === 'number' && typeof starts === 'number' && now < exp + 60 && now >= starts - 60
        expect((await verdictOf(token, base64({ keys: genuineKeys }))) === true).toBe(holds)
      }),
      { numRuns: 1_000 },
    )
  })

  it('are verified with key sets of any content without a defect', async () => {
    const key = fc.oneof(
      anything,
      fc.record(
        {
          kty: fc.oneof(fc.constantFrom('RSA', 'EC', 'OKP', 'oct'), anything),
          n: anything,
          e: anything,
          crv: anything,
          x: anything,
          y: anything,
          k: anything,
          kid: anything,
          use: anything,
          alg: anything,
        },
        { requiredKeys: ['kty'] },
      ),
      fc.constantFrom(...genuineKeys),
      fc.constant(jwk(rsa.publicKey, { n: 'A'.repeat(2_000) })),
    )
    const set = fc.oneof(fc.record({ keys: fc.oneof(fc.array(key, { maxLength: 5 }), anything) }), anything, fc.string({ unit: 'binary' }))
    await fc.assert(
      fc.asyncProperty(set, async (content) => {
        const keys = (content as { keys?: unknown } | null)?.keys
        const hasGenuine = Array.isArray(keys) && keys.includes(genuineKeys[0])
        expect((await verdictOf(genuine(), base64(content))) === true).toBe(hasGenuine)
      }),
      { numRuns: 1_500 },
    )
  })
})

describe('user tokens on the wire', () => {
  let running: RunningService
  let tokenServer: TokenServer
  beforeAll(async () => {
    tokenServer = await startTokenServer()
    running = await startService()
    await store(running, {
      Name: 'd',
      Type: 'HTTP',
      URL: 'http://x',
      Authentication: 'OAuth2JWTBearer',
      clientId: 'c',
      tokenServiceURL: tokenServer.url,
      'x_user_token.jwks': base64({ keys: genuineKeys }),
    })
  })
  afterAll(async () => {
    await running.close()
    await tokenServer.close()
  })

  it('lead to an entry with the reason when they do not hold, and to no call', async () => {
    const forged = fc.oneof(
      fc.tuple(header, claims).map(([head, payload]) => signed(head, payload, stranger.privateKey)),
      fc.tuple(header, claims, fc.string()).map(([head, payload, signature]) => `${part(head)}.${part(payload)}.${part(signature)}`),
    )
    await fc.assert(
      fc.asyncProperty(forged, async (token) => {
        expect((await entryOf(running, { 'x-user-token': token })).error).toContain('X-user-token')
      }),
      { numRuns: 300, interruptAfterTimeLimit: 8_000 },
    )
    expect(tokenServer.calls).toEqual([])
    expect(running.logged.join('\n')).not.toContain('"level":"error"')
    expect(await entryOf(running, { 'x-user-token': genuine() })).toMatchObject({ type: 'Bearer' })
  })
})
