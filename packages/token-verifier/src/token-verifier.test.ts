import { createManualClock, createTestIssuer } from '@sallyport/test-fixtures'
import { createHmac, createSign, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createFixedKeySource, createTokenVerifier, type KeySource, type TokenVerifier } from './index.ts'

const clock = createManualClock()
const issuer = createTestIssuer({ nowMs: () => clock.now() })
const second = (): number => Math.floor(clock.now() / 1000)
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function verifierWith(
  keys: KeySource,
  options: { readonly maxCachedTokens?: number; readonly expiryToleranceSeconds?: number } = {},
): TokenVerifier {
  return createTokenVerifier({
    keys,
    clock,
    expiryToleranceSeconds: options.expiryToleranceSeconds ?? 0,
    notBeforeToleranceSeconds: 60,
    maxCachedTokens: options.maxCachedTokens ?? 100,
    maxTokenBytes: 8192,
  })
}

/** Counts look-ups, to show what is refused before any key is touched and what is shared. */
function counting(source: KeySource): KeySource & { readonly lookUps: number } {
  let lookUps = 0
  return {
    find(...question) {
      lookUps++
      return source.find(...question)
    },
    get revision() {
      return source.revision
    },
    get lookUps() {
      return lookUps
    },
  }
}

const trusting = (): ReturnType<typeof createFixedKeySource> => createFixedKeySource([{ issuer: issuer.issuer, keys: issuer.keys }])

describe('signatures', () => {
  it('accepts a token of a trusted issuer and returns frozen claims', async () => {
    const verdict = await verifierWith(trusting()).verify(issuer.user('jane@example.org', { scope: 'openid email' }))
    if (!verdict.valid) throw new Error(verdict.reason)
    expect(verdict.token).toMatchObject({ issuer: issuer.issuer, keyId: 'key-1', expiresAtSeconds: second() + 3600 })
    expect(verdict.token.claims).toMatchObject({ user_name: 'jane@example.org', zid: 'demo', scope: ['openid', 'email'] })
    expect(Object.isFrozen(verdict.token.claims)).toBe(true)
    expect(Object.isFrozen(verdict.token.claims.ext_attr)).toBe(true)
  })

  it('accepts ES256 tokens', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const source = createFixedKeySource([
      { issuer: 'https://ec.example.org', keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'e' }] },
    ])
    const input = `${part({ alg: 'ES256', kid: 'e' })}.${part({ iss: 'https://ec.example.org', exp: second() + 60 })}`
    const signature = signBytes('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    expect(await verifierWith(source).verify(`${input}.${signature}`)).toMatchObject({ valid: true })
  })

  it('refuses a changed payload, a changed header and a cut signature', async () => {
    const verifier = verifierWith(trusting())
    const [header = '', payload = '', signature = ''] = issuer.user('jane').split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    expect(await verifier.verify(`${header}.${part({ ...claims, user_name: 'root' })}.${signature}`)).toEqual({
      valid: false,
      reason: 'signature',
    })
    expect(await verifier.verify(`${part({ alg: 'RS256', kid: 'key-1' })}.${payload}.${signature}`)).toEqual({
      valid: false,
      reason: 'signature',
    })
    expect(await verifier.verify(`${header}.${payload}.${signature.slice(0, 340)}`)).toEqual({ valid: false, reason: 'signature' })
    expect(await verifier.verify(`${header}.${payload}.`)).toEqual({ valid: false, reason: 'signature' })
  })

  it.each(['none', 'None', 'HS256', 'HS512', 'RS384', 'RS512', 'PS256', 'ES384', 'EdDSA', ''])(
    'refuses algorithm "%s" before any key is looked up',
    async (alg) => {
      const keys = counting(trusting())
      expect(await verifierWith(keys).verify(issuer.sign({}, { alg }))).toEqual({ valid: false, reason: 'algorithm' })
      expect(keys.lookUps).toBe(0)
    },
  )

  it('refuses a token signed with HMAC over the public key', async () => {
    const input = `${part({ alg: 'HS256', kid: 'key-1' })}.${part({ iss: issuer.issuer, exp: second() + 60 })}`
    const token = `${input}.${createHmac('sha256', JSON.stringify(issuer.keys[0])).update(input).digest('base64url')}`
    expect(await verifierWith(trusting()).verify(token)).toEqual({ valid: false, reason: 'algorithm' })
  })

  it('never uses keys or addresses that the token brings along', async () => {
    const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = { ...attacker.publicKey.export({ format: 'jwk' }), kid: 'key-1' }
    const header = { alg: 'RS256', kid: 'key-1', jwk, jku: 'https://attacker.example.org/keys', x5u: 'https://attacker.example.org/x' }
    const input = `${part(header)}.${part({ iss: issuer.issuer, exp: second() + 60 })}`
    const token = `${input}.${createSign('RSA-SHA256').update(input).sign(attacker.privateKey).toString('base64url')}`
    expect(await verifierWith(trusting()).verify(token)).toEqual({ valid: false, reason: 'signature' })
  })

  it('never accepts the key of one issuer for another', async () => {
    const other = createTestIssuer({ issuer: 'https://other.example.org/oauth/token', keyId: 'key-2', nowMs: () => clock.now() })
    const keys = createFixedKeySource([
      { issuer: issuer.issuer, keys: issuer.keys },
      { issuer: other.issuer, keys: other.keys },
    ])
    const verifier = verifierWith(keys)
    expect(await verifier.verify(other.sign())).toMatchObject({ valid: true })
    expect(await verifier.verify(other.sign({ iss: issuer.issuer }))).toEqual({ valid: false, reason: 'issuer' })
    expect(await verifier.verify(other.sign({ iss: issuer.issuer }, { kid: 'key-1' }))).toEqual({ valid: false, reason: 'signature' })
    expect(await verifier.verify(other.sign({ iss: `${issuer.issuer}/` }))).toEqual({ valid: false, reason: 'issuer' })
  })

  it('ignores symmetric, encryption and nameless keys of a set', async () => {
    const [key] = issuer.keys
    const source = (keys: readonly Readonly<Record<string, unknown>>[]): KeySource =>
      createFixedKeySource([{ issuer: issuer.issuer, keys }])
    for (const unusable of [
      { kty: 'oct', k: 'c2VjcmV0', kid: 'key-1' },
      { ...key, use: 'enc' },
      { ...key, alg: 'RS512' },
      { ...key, key_ops: ['sign'] },
      { ...key, kid: undefined },
      { ...key, n: 'A'.repeat(3000) },
    ]) {
      expect(await verifierWith(source([unusable])).verify(issuer.sign())).toEqual({ valid: false, reason: 'issuer' })
      expect(await verifierWith(source([unusable, { ...key }])).verify(issuer.sign())).toMatchObject({ valid: true })
    }
  })

  it('refuses RSA keys below 2048 bits', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const input = `${part({ alg: 'RS256', kid: 'w' })}.${part({ iss: 'https://weak.example.org', exp: second() + 60 })}`
    const token = `${input}.${createSign('RSA-SHA256').update(input).sign(weak.privateKey).toString('base64url')}`
    const keys = createFixedKeySource([
      { issuer: 'https://weak.example.org', keys: [{ ...weak.publicKey.export({ format: 'jwk' }), kid: 'w' }] },
    ])
    expect(await verifierWith(keys).verify(token)).toEqual({ valid: false, reason: 'signature' })
  })

  it('refuses a configuration that names an issuer twice or not at all', () => {
    const entry = { issuer: issuer.issuer, keys: issuer.keys }
    expect(() => createFixedKeySource([entry, entry])).toThrow(/configured twice/)
    expect(() => createFixedKeySource([{ issuer: '', keys: [] }])).toThrow(/empty name/)
  })
})

describe('form', () => {
  it.each([
    ['crit', issuer.sign({}, { crit: ['exp'], exp: 1 })],
    ['unencoded payloads', issuer.sign({}, { b64: false })],
    ['no key id', issuer.sign({}, { kid: undefined })],
    ['an empty key id', issuer.sign({}, { kid: '' })],
    ['a key id that is no text', issuer.sign({}, { kid: 1 })],
    ['no issuer', issuer.sign({ iss: undefined })],
    ['no expiry', issuer.sign({ exp: undefined })],
    ['an expiry that is a text', issuer.sign({ exp: '9999999999' })],
    ['a start that is a text', issuer.sign({ nbf: '0' })],
    ['a tenant that is no text', issuer.sign({ zid: ['demo'] })],
    ['a scope of numbers', issuer.sign({ scope: [1] })],
    ['more than 8192 bytes', issuer.sign({ filler: 'x'.repeat(9000) })],
    ['two parts', issuer.sign().split('.').slice(0, 2).join('.')],
    ['four parts', `${issuer.sign()}.x`],
    ['padding', `${issuer.sign()}=`],
    ['a blank', ` ${issuer.sign()}`],
    ['nothing', ''],
  ])('refuses %s as malformed without a look-up', async (_, token) => {
    const keys = counting(trusting())
    expect(await verifierWith(keys).verify(token)).toEqual({ valid: false, reason: 'malformed' })
    expect(keys.lookUps).toBe(0)
  })

  it('gives a signature one text only', async () => {
    const token = issuer.sign()
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const twin = token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1]
    expect(Buffer.from(twin.split('.')[2] ?? '', 'base64url')).toEqual(Buffer.from(token.split('.')[2] ?? '', 'base64url'))
    expect(await verifierWith(trusting()).verify(twin)).toEqual({ valid: false, reason: 'malformed' })
  })

  it('survives deep nesting and claims named like object members', async () => {
    const verifier = createTokenVerifier({
      keys: trusting(),
      clock,
      expiryToleranceSeconds: 0,
      notBeforeToleranceSeconds: 0,
      maxCachedTokens: 1,
      maxTokenBytes: 1_000_000,
    })
    const claims = `{"iss":"${issuer.issuer}","exp":${second() + 9},"__proto__":{"zid":"x"},"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const token = `${part({ alg: 'RS256', kid: 'key-1' })}.${Buffer.from(claims).toString('base64url')}.AAAA`
    expect(await verifier.verify(token)).toEqual({ valid: false, reason: 'signature' })
    expect(verifier.decode(token)?.zid).toBeUndefined()
    expect(verifier.decode(token)?.['constructor']).toBeUndefined()
  })

  it('reads user claims as texts and drops what cannot be one', () => {
    const claims = verifierWith(trusting()).decode(
      issuer.sign({ email: ['a@b.org'], user_name: 17, user_uuid: ['x', 'y'], origin: null, user_id: { a: 1 } }),
    )
    expect(claims).toMatchObject({ email: 'a@b.org', user_name: '17' })
    expect(claims).not.toHaveProperty('user_uuid')
    expect(claims).not.toHaveProperty('origin')
    expect(claims).not.toHaveProperty('user_id')
    expect(verifierWith(trusting()).decode('no token')).toBeUndefined()
  })
})

describe('time', () => {
  it('refuses a token from its expiry on, plus the tolerance', async () => {
    const token = issuer.sign({ exp: second() + 10 })
    const strict = verifierWith(trusting())
    const tolerant = verifierWith(trusting(), { expiryToleranceSeconds: 5 })
    clock.advance(9_999)
    expect(await strict.verify(token)).toMatchObject({ valid: true })
    clock.advance(1)
    expect(strict.peek(token)).toBeUndefined()
    expect(await strict.verify(token)).toEqual({ valid: false, reason: 'expired' })
    expect(await tolerant.verify(token)).toMatchObject({ valid: true })
    clock.advance(4_999)
    expect(tolerant.peek(token)).toBeDefined()
    clock.advance(1)
    expect(tolerant.peek(token)).toBeUndefined()
    expect(await tolerant.verify(token)).toEqual({ valid: false, reason: 'expired' })
  })

  it.each(['nbf', 'iat'])('refuses a token whose %s is further ahead than the tolerance', async (claim) => {
    const verifier = verifierWith(trusting())
    expect(await verifier.verify(issuer.sign({ [claim]: second() + 60 }))).toMatchObject({ valid: true })
    expect(await verifier.verify(issuer.sign({ [claim]: second() + 62 }))).toEqual({ valid: false, reason: 'not-yet-valid' })
  })
})

describe('memory', () => {
  it('answers a known token synchronously and without another look-up', async () => {
    const keys = counting(trusting())
    const verifier = verifierWith(keys)
    const token = issuer.user('jane')
    expect(verifier.peek(token)).toBeUndefined()
    const verdict = await verifier.verify(token)
    expect(verdict.valid && verifier.peek(token) === verdict.token).toBe(true)
    await verifier.verify(token)
    expect(keys.lookUps).toBe(1)
  })

  it('compares the whole token, not only its end', async () => {
    const verifier = verifierWith(trusting())
    const token = issuer.user('jane')
    await verifier.verify(token)
    const forged = `${part({ alg: 'RS256', kid: 'key-1' })}.${part({ iss: issuer.issuer, exp: second() + 60, user_name: 'root' })}.${token.split('.')[2]}`
    expect(verifier.peek(forged)).toBeUndefined()
    expect(await verifier.verify(forged)).toEqual({ valid: false, reason: 'signature' })
    expect(verifier.peek(token)).toBeDefined()
  })

  it('shares one verification among concurrent callers', async () => {
    const keys = counting(trusting())
    const verifier = verifierWith(keys)
    const token = issuer.user('jane')
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)))
    expect(new Set(verdicts).size).toBe(1)
    expect(keys.lookUps).toBe(1)
  })

  it('forgets verdicts when keys or trust change, and only then', async () => {
    const keys = trusting()
    const verifier = verifierWith(keys)
    const token = issuer.user('jane')
    await verifier.verify(token)
    keys.replace([{ issuer: issuer.issuer, keys: [...issuer.keys] }])
    expect(verifier.peek(token)).toBeDefined()
    keys.replace([])
    expect(verifier.peek(token)).toBeUndefined()
    expect(await verifier.verify(token)).toEqual({ valid: false, reason: 'issuer' })
    keys.replace([{ issuer: issuer.issuer, keys: issuer.keys }])
    expect(await verifier.verify(token)).toMatchObject({ valid: true })
  })

  it('decides again when trust is withdrawn while it verifies', async () => {
    const keys = trusting()
    const racing: KeySource = {
      async find(...question) {
        const key = await keys.find(...question)
        // Runs when the caller already has the key and waits for the signature check.
        queueMicrotask(() => queueMicrotask(() => keys.replace([])))
        return key
      },
      get revision() {
        return keys.revision
      },
    }
    expect(await verifierWith(racing).verify(issuer.user('jane'))).toEqual({ valid: false, reason: 'issuer' })
  })

  it('answers unavailable when keys never come to rest or the source fails', async () => {
    let revision = 0
    const restless: KeySource = {
      find: async () => issuer.keys[0],
      get revision() {
        return revision++
      },
    }
    expect(await verifierWith(restless).verify(issuer.sign())).toEqual({ valid: false, reason: 'unavailable' })
    const failing: KeySource = { find: () => Promise.reject(new Error('down')), revision: 1 }
    expect(await verifierWith(failing).verify(issuer.sign())).toEqual({ valid: false, reason: 'unavailable' })
  })

  it('keeps at most the configured number of tokens, sparing those in use', async () => {
    const verifier = verifierWith(trusting(), { maxCachedTokens: 3 })
    const [a, b, c, d] = [issuer.user('a'), issuer.user('b'), issuer.user('c'), issuer.user('d')] as const
    for (const token of [a, b, c]) await verifier.verify(token)
    verifier.peek(a)
    await verifier.verify(d)
    expect([a, b, c, d].map((token) => verifier.peek(token) !== undefined)).toEqual([true, false, true, true])
  })

  it('works without a memory', async () => {
    const verifier = verifierWith(trusting(), { maxCachedTokens: 0 })
    const token = issuer.user('a')
    expect(await verifier.verify(token)).toMatchObject({ valid: true })
    expect(verifier.peek(token)).toBeUndefined()
  })
})
