import { createManualClock, createTestIssuer } from '@sallyport/test-fixtures'
import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import { createPrincipalValidator, createTrustList, type PrincipalValidator, type TrustList } from './index.ts'

const clock = createManualClock()
const issuer = createTestIssuer({ nowMs: () => clock.now() })
const seconds = (): number => Math.floor(clock.now() / 1000)
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function trusting(keys = issuer.keys): TrustList {
  const trust = createTrustList()
  trust.synchronise([{ issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys }])
  return trust
}

const validatorFor = (trust: TrustList, expirationToleranceHours = 2): PrincipalValidator =>
  createPrincipalValidator({ trust, tenant: 'demo', expirationToleranceHours, clock })

it('accepts a token of a trusted issuer as the kind of principal its channel says', async () => {
  const validator = validatorFor(trusting())
  const token = issuer.user('jane@example.org')
  const verdict = await validator.validate({ kind: 'business', token })
  expect(verdict).toMatchObject({ valid: true, principal: { kind: 'business', issuer: issuer.issuer, name: 'jane@example.org' } })
  const technical = await validator.validate({ kind: 'technical', token: issuer.technical() })
  expect(technical).toMatchObject({ valid: true, principal: { kind: 'technical', name: 'sb-connectivity!b1' } })
})

it('answers a known token synchronously with the same principal object, one for each kind', async () => {
  const validator = validatorFor(trusting())
  // Nothing in it tells for whom it speaks, so that it counts as what its channel says.
  const token = issuer.sign({ sub: 'x', azp: 'app' })
  expect(validator.peek({ kind: 'business', token })).toBeUndefined()
  const verdict = await validator.validate({ kind: 'business', token })
  const known = validator.peek({ kind: 'business', token })
  expect(verdict.valid && verdict.principal === known).toBe(true)
  expect(Object.isFrozen(known)).toBe(true)
  expect(validator.peek({ kind: 'technical', token })).toBeUndefined()
  await validator.validate({ kind: 'technical', token })
  const other = validator.peek({ kind: 'technical', token })
  expect(other).not.toBe(known)
  expect(other?.kind).toBe('technical')
})

it.each([
  ['business', 'of a client that says so by its grant', 'application', { grant_type: 'client_x509', sub: 'app', user_name: 'jane' }],
  ['business', 'of a client that says so by its subject', 'application', { sub: 'app', azp: 'app' }],
  ['technical', 'of a person that says so by its grant', 'person', { grant_type: 'password', client_id: 'app' }],
  ['technical', 'of a person that says so by a claim', 'person', { email: 'jane@example.org', azp: 'app' }],
] as const)('refuses in the %s channel a token %s, also when it is known', async (kind, _, reason, claims) => {
  const validator = validatorFor(trusting())
  const token = issuer.sign(claims)
  expect(await validator.validate({ kind: kind === 'business' ? 'technical' : 'business', token })).toMatchObject({ valid: true })
  expect(await validator.validate({ kind, token })).toMatchObject({ valid: false, reason })
  expect(validator.peek({ kind, token })).toBeUndefined()
})

it('refuses a token that names another tenant, whichever claim it does so with, and takes one that names none', async () => {
  const validator = validatorFor(trusting())
  for (const claims of [{ zid: 'other' }, { app_tid: 'other' }, { zid: 'demo', zone_uuid: 'other' }, { zone_uuid: 7 }])
    expect(await validator.validate({ kind: 'business', token: issuer.sign(claims) })).toMatchObject({ valid: false, reason: 'tenant' })
  for (const claims of [{ zid: undefined }, { zid: '', app_tid: 'demo' }])
    expect(await validator.validate({ kind: 'business', token: issuer.sign({ sub: 'x', ...claims }) })).toMatchObject({ valid: true })
})

it.each([
  ['an issuer that is not in the list', 'issuer', () => validatorFor(createTrustList()), () => issuer.sign()],
  ['a key that is not synchronised', 'key', () => validatorFor(trusting()), () => issuer.sign({}, { kid: 'key-2' })],
  ['a key that was exchanged under its name', 'signature', () => validatorFor(trusting(createTestIssuer().keys)), () => issuer.sign()],
  ['something that is no token', 'malformed', () => validatorFor(trusting()), () => 'token'],
  ['a start in the future', 'not-yet-valid', () => validatorFor(trusting()), () => issuer.sign({ nbf: seconds() + 120 })],
  ['an expiry beyond the tolerance', 'expired', () => validatorFor(trusting()), () => issuer.sign({ exp: seconds() - 7200 })],
])('refuses %s and says what to do', async (_, reason, validator, token) => {
  const verdict = await validator().validate({ kind: 'business', token: token() })
  expect(verdict).toMatchObject({ valid: false, code: 'PRINCIPAL_NOT_TRUSTED', reason })
  expect(verdict.valid ? '' : verdict.message).toMatch(/^SSO token validation failed: [a-z]/)
})

it('refuses an issuer that is switched off with the next call, and accepts it again when it is switched on', async () => {
  const trust = trusting()
  const validator = validatorFor(trust)
  const token = issuer.user('jane')
  expect(await validator.validate({ kind: 'business', token })).toMatchObject({ valid: true })
  trust.setTrusted(1, false)
  expect(validator.peek({ kind: 'business', token })).toBeUndefined()
  expect(await validator.validate({ kind: 'business', token })).toMatchObject({ valid: false, reason: 'untrusted' })
  trust.setTrusted(1, true)
  expect(await validator.validate({ kind: 'business', token })).toMatchObject({ valid: true })
})

it('fails after a rotation of the signing key until it has been synchronised', async () => {
  const trust = trusting()
  const validator = validatorFor(trust)
  const rotated = createTestIssuer({ issuer: issuer.issuer, keyId: 'key-2', nowMs: () => clock.now() })
  const token = { kind: 'business', token: rotated.user('jane') } as const
  expect(await validator.validate(token)).toMatchObject({ valid: false, reason: 'key' })
  trust.synchronise([{ issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: rotated.keys }])
  expect(await validator.validate(token)).toMatchObject({ valid: true })
  expect(await validator.validate({ kind: 'business', token: issuer.user('jane') })).toMatchObject({ valid: false, reason: 'key' })
})

it('PP-012 refuses unsigned tokens and tokens signed with a shared secret', async () => {
  const validator = validatorFor(trusting())
  const claims = part({ iss: issuer.issuer, exp: seconds() + 60, user_name: 'jane' })
  const unsigned = `${part({ alg: 'none', kid: 'key-1' })}.${claims}.`
  const input = `${part({ alg: 'HS256', kid: 'key-1' })}.${claims}`
  const shared = [JSON.stringify(issuer.keys[0]), issuer.keys[0]?.['n'] as string].map(
    (secret) => `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`,
  )
  for (const token of [unsigned, ...shared]) {
    expect(await validator.validate({ kind: 'business', token })).toMatchObject({ valid: false, reason: 'algorithm' })
  }
  // The same claims with a proper signature are fine: it is the algorithm that is refused.
  expect(await validator.validate({ kind: 'business', token: issuer.sign({ user_name: 'jane' }) })).toMatchObject({ valid: true })
})

it('PP-013 accepts a token that expired 90 minutes ago with a tolerance of two hours and refuses it with one', async () => {
  const token = { kind: 'business', token: issuer.user('jane', { exp: seconds() - 90 * 60 }) } as const
  expect(await validatorFor(trusting(), 2).validate(token)).toMatchObject({ valid: true })
  expect(await validatorFor(trusting(), 1).validate(token)).toMatchObject({ valid: false, reason: 'expired' })
})

it('stops accepting a remembered token when the tolerance is over', async () => {
  const validator = validatorFor(trusting(), 1)
  const token = { kind: 'business', token: issuer.user('jane', { exp: seconds() + 60 }) } as const
  await validator.validate(token)
  clock.advance(3_659_999)
  expect(validator.peek(token)).toBeDefined()
  clock.advance(1)
  expect(validator.peek(token)).toBeUndefined()
  expect(await validator.validate(token)).toMatchObject({ valid: false, reason: 'expired' })
})

it.each([0, 337, 1.5, Number.NaN])('is not made for a tolerance of %d hours', (hours) => {
  expect(() => validatorFor(trusting(), hours)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }))
})
