import { randomBytes } from 'node:crypto'
import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createAttemptLimiter } from './attempt-limiter.ts'
import { sameName } from './client-certificate.ts'
import { generateClientSecret, hashClientSecret, hashGrant, isClientSecretHash, matchesClientSecret } from './client-secret.ts'
import { createPasswordHasher, isPasswordHash } from './password-hash.ts'

describe('client secrets', () => {
  it('are 256 random bits and match one of their stored hashes', () => {
    const secret = generateClientSecret(randomBytes).reveal()
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    const hashes = [hashClientSecret('another'), hashClientSecret(secret)]
    expect(hashes.every(isClientSecretHash)).toBe(true)
    expect(matchesClientSecret(secret, hashes)).toBe(true)
    expect(matchesClientSecret(`${secret} `, hashes)).toBe(false)
  })
  it('never match an empty list, a damaged hash or the hash itself', () => {
    const hash = hashClientSecret('secret')
    for (const hashes of [[], [''], ['sha256:'], [hash.slice(0, -1)], [hash.replace('sha256', 'sha512')], ['secret']]) {
      expect(matchesClientSecret('secret', hashes)).toBe(false)
    }
    expect(matchesClientSecret(hash, [hash])).toBe(false)
    expect(matchesClientSecret('', [hash])).toBe(false)
  })
  it('a grant of one kind does not pass for another', () => {
    expect(hashGrant('code', 'x')).not.toBe(hashGrant('refresh', 'x'))
  })
})

describe('passwords', () => {
  const hasher = createPasswordHasher({ random: randomBytes })
  it('match their stored form, salted, whatever way the characters are composed', async () => {
    const [one, two] = await Promise.all([hasher.hash('Grüße'), hasher.hash('Grüße')])
    expect(one).not.toBe(two)
    expect(isPasswordHash(one)).toBe(true)
    expect(await hasher.verify('Gru\u0308\u00DFe', one)).toBe(true)
    expect(await hasher.verify('Grusse', one)).toBe(false)
    expect(await hasher.verify('Grüße', undefined)).toBe(false)
  })
  it.each([
    '',
    'scrypt$14$8$5$short$x',
    'scrypt$10$8$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'scrypt$40$8$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'plain',
  ])('a stored form that is damaged, too cheap or too dear is an error of the configuration: %.24s', async (stored) => {
    await expect(hasher.verify('x', stored)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })
})

describe('attempt limiter', () => {
  it('refuses after so many failures until the window is over, and forgets on success', () => {
    const clock = createManualClock()
    const limiter = createAttemptLimiter({ clock, maxFailures: 2, windowMs: 10_000 })
    limiter.failed('a')
    expect(limiter.retryAfterSeconds('a')).toBe(0)
    limiter.failed('a')
    expect(limiter.retryAfterSeconds('a')).toBe(10)
    expect(limiter.retryAfterSeconds('b')).toBe(0)
    clock.advance(9_500)
    limiter.failed('a')
    expect(limiter.retryAfterSeconds('a')).toBe(1)
    clock.advance(500)
    expect(limiter.retryAfterSeconds('a')).toBe(0)
    limiter.failed('a')
    limiter.succeeded('a')
    limiter.failed('a')
    expect(limiter.retryAfterSeconds('a')).toBe(0)
  })
  it('counts for a bounded number of names', () => {
    const clock = createManualClock()
    const limiter = createAttemptLimiter({ clock, maxFailures: 1, windowMs: 10_000 })
    for (let at = 0; at < 10_001; at++) limiter.failed(`name-${at}`)
    expect(limiter.retryAfterSeconds('name-0')).toBe(0)
    expect(limiter.retryAfterSeconds('name-1')).toBe(10)
  })
})

describe('certificate names', () => {
  it.each([
    ['CN=app,O=Acme', 'O=Acme\nCN=app', true],
    ['O=Acme, CN=app', 'O=Acme\nCN=app', true],
    ['cn=app; o=Acme', 'O=Acme\nCN=app', true],
    [
      String.raw`CN=app\, inc,O=Acme`,
      String.raw`O=Acme
CN=app\, inc`,
      true,
    ],
    ['CN=app', 'O=Acme\nCN=app', false],
    ['CN=App,O=Acme', 'O=Acme\nCN=app', false],
    ['CN=app,O=Acme,O=Acme', 'O=Acme\nCN=app', false],
    ['', '', false],
  ])('%j and %j are the same: %s', (configured, presented, expected) => {
    expect(sameName(configured, presented)).toBe(expected)
  })
})
