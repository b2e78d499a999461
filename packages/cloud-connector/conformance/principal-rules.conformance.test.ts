import { createHmac, X509Certificate } from 'node:crypto'
import {
  createHttpBackend,
  createManualClock,
  createTestCa,
  createTestIssuer,
  type HttpBackend,
  type ManualClock,
  namingClaims,
} from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BenchAnswer, type ConnectorBench, mappingTo, startConnectorBench } from './connector-bench.ts'

const minute = 60_000
const root = createTestCa({ subject: '/O=Test/CN=Root' })
const userCa = createTestCa({ subject: '/O=Test/CN=User CA' })
const system = root.issue({ subject: '/CN=connector system', names: [] })
const server = root.issue({ subject: '/CN=backend' })

let clock: ManualClock
let issuer: ReturnType<typeof createTestIssuer>
let backend: HttpBackend
let bench: ConnectorBench
beforeEach(async () => {
  clock = createManualClock(Date.now())
  issuer = createTestIssuer({ nowMs: () => clock.now() })
  backend = await createHttpBackend({
    tls: { certificate: server.certificate, key: server.key, clientCa: root.certificate },
    answer: () => ({ body: 'ok' }),
  })
  bench = await startConnectorBench({
    connector: connector({}),
    files: {
      'root.pem': root.certificate,
      'ca.pem': userCa.certificate,
      'ca.key': userCa.key,
      'system.pem': system.certificate,
      'system.key': system.key,
    },
    issuers: [{ issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys }],
    clock,
  })
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

function connector(principalPropagation: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    backendTrust: { authorities: [{ file: 'root.pem' }] },
    systemCertificate: { certificate: { file: 'system.pem' }, key: { file: 'system.key' } },
    principalPropagation: { ca: { certificate: { file: 'ca.pem' }, key: { file: 'ca.key' } }, ...principalPropagation },
    mappings: [mappingTo(backend.url, { principalType: 'X509_GENERAL' })],
  }
}
const configure = (principalPropagation: Readonly<Record<string, unknown>>): Promise<void> =>
  bench.configure(connector(principalPropagation))

type Claims = Readonly<Record<string, unknown>>
const send = (token: string, kind: 'business' | 'technical' = 'business'): Promise<BenchAnswer> =>
  bench.request({ principal: { kind, token } })

/** The certificate that the system gets for a token; the answer of the connector where it gets none. */
async function certificateFor(token: string, kind?: 'business' | 'technical'): Promise<X509Certificate | string> {
  const before = backend.requests.length
  const { body, status } = await send(token, kind)
  if (status !== 200) return backend.requests.length === before ? `${status} ${body}` : `${status}, although the system was reached`
  const raw = backend.requests.at(-1)?.rawHeaders ?? []
  return new X509Certificate(Buffer.from(raw[raw.indexOf('SSL_CLIENT_CERT') + 1] ?? '', 'base64'))
}
/** Most specific first, as subjects are configured. */
async function subjectFor(claims: Claims, kind?: 'business' | 'technical'): Promise<string> {
  const certificate = await certificateFor(issuer.sign(claims), kind)
  return typeof certificate === 'string' ? certificate : certificate.subject.split('\n').toReversed().join(',')
}
const seconds = (): number => Math.floor(clock.now() / 1000)

describe('tokens, as the system hears of them', () => {
  it('PP-012 without a signature or with a shared secret reach nobody', async () => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = part({ iss: issuer.issuer, exp: seconds() + 60, user_name: 'jane', zid: 'demo' })
    const shared = `${part({ alg: 'HS256', kid: 'key-1' })}.${claims}`
    const mac = createHmac('sha256', String(issuer.keys[0]?.['n'])).update(shared).digest('base64url')
    for (const token of [`${part({ alg: 'none', kid: 'key-1' })}.${claims}.`, `${shared}.${mac}`])
      expect(await certificateFor(token)).toMatch(/^403 SSO token validation failed: the token is not signed with/)
    expect(await subjectFor({ user_name: 'jane' })).toBe('CN=jane')
  })

  it('PP-013 that expired 90 minutes ago log on with a tolerance of two hours, and not with one', async () => {
    const token = issuer.user('jane', { exp: seconds() - 90 * 60 })
    expect(await certificateFor(token)).toBeInstanceOf(X509Certificate)
    await configure({ expirationToleranceHours: 1 })
    expect(await certificateFor(token)).toMatch(/^403 SSO token validation failed: the token has expired/)
    await configure({ expirationToleranceHours: 2 })
    expect(await certificateFor(token)).toBeInstanceOf(X509Certificate)
    clock.advance(31 * minute)
    expect(await certificateFor(token)).toMatch(/^403 SSO token validation failed: the token has expired/)
  })

  it('that are for another tenant, or speak for somebody whose channel is the other, reach nobody', async () => {
    expect(await subjectFor({ user_name: 'jane', zid: 'other' })).toMatch(
      /^403 SSO token validation failed: the token is for another tenant/,
    )
    expect(await subjectFor({ user_name: 'jane', grant_type: 'password' }, 'technical')).toMatch(/^403 .*that of a person/)
    expect(await subjectFor({ sub: 'app', grant_type: 'client_credentials' })).toMatch(/^403 .*that of an application/)
  })
})

describe('subjects, as the system reads them', () => {
  it.each([
    ['PP-015', 'business', 'user_name, email, mail, user_uuid and sub'],
    ['PP-016', 'technical', 'client_id, cid, sub and azp'],
  ] as const)('%s name a %s principal by %s, in this order', async (...[, kind]) => {
    const nobody: unknown = expect.stringMatching(/^500 Unable to generate authorization token/)
    for (const { claims, name } of namingClaims(kind))
      expect(await subjectFor(claims, kind)).toEqual(name === undefined ? nobody : `CN=${name}`)
  })

  it('PP-017 PP-018 take the custom attribute before the root claim, that alone with cp., and a list of one value', async () => {
    await configure({ subjectPattern: 'CN=${login_name},L=${city},OU=${cp.login_name}' })
    const claims = { login_name: 'root', city: 'Berlin', 'xs.user.attributes': { login_name: ['custom'] } }
    expect(await subjectFor(claims)).toBe('CN=custom,L=Berlin,OU=root')
    expect(await subjectFor({ login_name: ['only'], city: ['Paris'] })).toBe('CN=only,L=Paris,OU=only')
    expect(await subjectFor({ login_name: ['one', 'two'] })).toMatch(/^500 /)
  })

  it('PP-019 PP-020 come from the first rule that applies; "is not" does not apply to what is absent', async () => {
    const byMail = { when: { variable: 'mail', operator: 'exist' }, subject: 'CN=mail ${mail}' }
    const byTeam = { when: { variable: 'team', operator: 'is_not', value: 'x' }, subject: 'CN=team ${team}' }
    const last = { subject: 'CN=${name}' }
    const claims = { user_name: 'jane', mail: 'j@x.org', team: 'y' }
    await configure({ rules: [byMail, byTeam, last] })
    expect(await subjectFor(claims)).toBe('CN=mail j@x.org')
    await configure({ rules: [byTeam, byMail, last] })
    expect(await subjectFor(claims)).toBe('CN=team y')
    expect(await subjectFor({ ...claims, team: 'x' })).toBe('CN=mail j@x.org')
    expect(await subjectFor({ user_name: 'jane' })).toBe('CN=jane')
  })

  it('PP-022 of "user_type is Technical" are those of technical tokens alone', async () => {
    await configure({
      rules: [
        { when: { variable: 'user_type', operator: 'is', value: 'Technical' }, subject: 'CN=robot ${name}' },
        { subject: 'CN=${name}' },
      ],
    })
    const client = { client_id: 'app', cid: 'app' }
    expect(await subjectFor({ ...client, grant_type: 'client_credentials' }, 'technical')).toBe('CN=robot app')
    expect(await subjectFor({ ...client, grant_type: 'password', user_name: 'jane' })).toBe('CN=jane')
    // A claim of that name is none of the user's business.
    expect(await subjectFor({ ...client, grant_type: 'password', user_name: 'jane', user_type: 'Technical' })).toBe('CN=jane')
  })

  it('PP-026 PP-027 have the fields that are not empty, with commas, quotes and plus signs as they are', async () => {
    await configure({ subjectPattern: 'CN=${name},EMAIL=${mail},OU=${team},O=Acme,C=DE' })
    const legacy = async (claims: Claims) => {
      const certificate = await certificateFor(issuer.sign(claims))
      return typeof certificate === 'string' ? certificate : { ...certificate.toLegacyObject().subject }
    }
    expect(await legacy({ user_name: 'jane', mail: '', team: 'R+D, "north"' })).toEqual({
      CN: 'jane',
      OU: 'R+D, "north"',
      O: 'Acme',
      C: 'DE',
    })
    for (const name of ['Doe, Jane', 'a"b', 'a+b', '#1', String.raw`a\b;<c>`])
      expect(await legacy({ user_name: name, mail: 'j@x.org' })).toEqual({ CN: name, emailAddress: 'j@x.org', O: 'Acme', C: 'DE' })
  })
})

describe('certificates, as the system gets them', () => {
  const taken = async (name = 'jane'): Promise<X509Certificate> => {
    const certificate = await certificateFor(issuer.user(name))
    if (typeof certificate === 'string') throw new Error(certificate)
    return certificate
  }
  const ca = new X509Certificate(userCa.certificate)

  it('PP-029 PP-030 are signed by the CA, for the validity that is set, and end with the CA at the latest', async () => {
    const first = await taken()
    expect([first.issuer, first.checkIssued(ca), first.verify(ca.publicKey)]).toEqual([ca.subject, true, true])
    expect(first.validToDate.getTime()).toBe((seconds() + 60 * 60) * 1000)
    await configure({ validityMinutes: 20_000 })
    expect(ca.validToDate.getTime()).toBeGreaterThan(clock.now() + 20_000 * minute)
    expect((await taken()).validToDate.getTime()).toBe((seconds() + 20_000 * 60) * 1000)
    clock.set(ca.validToDate.getTime() - 10 * minute)
    expect((await taken('late')).validToDate).toEqual(ca.validToDate)
    clock.set(ca.validToDate.getTime())
    expect(await certificateFor(issuer.user('jane'))).toMatch(/^500 Unable to generate authorization token/)
  })

  it('PP-033 are used again within their validity; a changed validity counts for the next one', async () => {
    const first = await taken()
    clock.advance(50 * minute)
    expect((await taken()).serialNumber).toBe(first.serialNumber)
    clock.advance(5 * minute)
    const second = await taken()
    expect(second.serialNumber).not.toBe(first.serialNumber)
    await configure({ validityMinutes: 5 })
    const third = await taken()
    expect(third.serialNumber).not.toBe(second.serialNumber)
    expect(third.validToDate.getTime()).toBe((seconds() + 5 * 60) * 1000)
  })
})
