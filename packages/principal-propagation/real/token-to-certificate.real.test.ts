import {
  createManualClock,
  createTestCa,
  createTestIssuer,
  type ManualClock,
  namingClaims,
  type TestIssuer,
} from '@sallyport/test-fixtures'
import { type CertificateAuthority, parseName, parsePemCertificates } from '@sallyport/x509'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  addSubjectRule,
  createAuthorityRequest,
  createCertificateAuthority,
  createCertificateIssuer,
  createLeafKey,
  createPrincipalValidator,
  createTrustList,
  defaultSubjectRules,
  type IssueVerdict,
  type LeafKey,
  moveSubjectRule,
  parseSubjectPattern,
  type PrincipalToken,
  type SubjectPattern,
  type SubjectRule,
} from '@sallyport/principal-propagation'
import { opensslIsMissing, showCertificate, showRequest, type ShownCertificate, verifyClient } from './shown-by-openssl.ts'

const minute = 60_000
const leafKey: LeafKey = createLeafKey('rsa')

/** Token service, trust list, validator and issuer together: tokens go in, certificates come out and are read by the program. */
interface Chain {
  readonly clock: ManualClock
  readonly tokens: TestIssuer
  propagate(token: PrincipalToken): Promise<IssueVerdict>
  /** As `propagate`, for tokens that must get a certificate. */
  certificateOf(token: PrincipalToken): Promise<Buffer>
}

function createChain(options: {
  readonly authority: CertificateAuthority | undefined
  readonly rules?: readonly SubjectRule[]
  readonly validityMinutes?: number
  readonly clock: ManualClock
}): Chain {
  const { clock } = options
  const tokens = createTestIssuer({ nowMs: () => clock.now() })
  const trust = createTrustList()
  trust.synchronise([{ issuer: tokens.issuer, name: 'Test', type: 'OAUTH2', keys: tokens.keys }])
  const validator = createPrincipalValidator({ trust, tenant: 'demo', expirationToleranceHours: 2, clock })
  const issuer = createCertificateIssuer({ rules: defaultSubjectRules, validityMinutes: 60, ...options, leafKey })
  const propagate: Chain['propagate'] = async (token) => {
    const verdict = await validator.validate(token)
    if (!verdict.valid) throw new Error(verdict.message)
    return issuer.issue(verdict.principal)
  }
  return {
    clock,
    tokens,
    propagate,
    async certificateOf(token) {
      const verdict = await propagate(token)
      if (!verdict.issued) throw new Error(verdict.problem)
      return verdict.certificate.certificate
    },
  }
}

const rule = (condition: SubjectRule['condition'], pattern: SubjectPattern): SubjectRule => ({ condition, pattern })

describe.skipIf(opensslIsMissing)('from token to certificate, as the openssl program sees it', () => {
  let authority: CertificateAuthority
  const start = Date.UTC(2030, 0, 1, 12)
  beforeAll(async () => {
    authority = await createCertificateAuthority({
      subject: parseName(String.raw`CN=PP CA,OU=R\+D,O=Example\, Inc.,C=DE`),
      clock: createManualClock(start),
      key: { kind: 'ec', curve: 'P-256' },
    })
  })
  const chainWith = (options: Partial<Parameters<typeof createChain>[0]> = {}): Chain =>
    createChain({ authority, clock: createManualClock(start), ...options })
  const show = async (chain: Chain, claims: object, kind: PrincipalToken['kind'] = 'business'): Promise<ShownCertificate> =>
    showCertificate(await chain.certificateOf({ kind, token: chain.tokens.sign(claims as Record<string, unknown>) }))

  it.each([
    ['PP-015', 'business', 'user_name, email, mail, user_uuid and sub'],
    ['PP-016', 'technical', 'client_id, cid, sub and azp'],
  ] as const)('%s names a %s principal by %s, in this order', async (_id, kind) => {
    const chain = chainWith()
    for (const { claims, name } of namingClaims(kind)) {
      const verdict = await chain.propagate({ kind, token: chain.tokens.sign(claims) })
      const outcome = verdict.issued ? showCertificate(verdict.certificate.certificate).subject : verdict.reason
      expect(outcome).toBe(name === undefined ? 'variable' : `CN=${name}`)
    }
  })

  it('PP-017 PP-018 prefers a custom attribute, takes the root claim with cp., and a list of one value', async () => {
    const chain = chainWith({ rules: [rule(undefined, { CN: '${login_name}', OU: '${cp.login_name}', L: '${city}' })] })
    const claims = { login_name: 'root', city: 'Berlin', 'xs.user.attributes': { login_name: ['custom'] } }
    expect((await show(chain, claims)).subject).toBe('CN=custom,L=Berlin,OU=root')
    expect((await show(chain, { login_name: ['only'], city: ['Paris'] })).subject).toBe('CN=only,L=Paris,OU=only')
  })

  it('PP-019 takes the first rule that applies, so that their order decides', async () => {
    const byMail = rule({ variable: 'mail', operator: 'exist' }, { CN: 'mail-${mail}' })
    const byTeam = rule({ variable: 'team', operator: 'is', value: 'x' }, { CN: 'team-${team}' })
    const rules = addSubjectRule(addSubjectRule(defaultSubjectRules, byMail), byTeam)
    const claims = { user_name: 'jane', mail: 'j@x.org', team: 'x' }
    expect((await show(chainWith({ rules }), claims)).subject).toBe('CN=mail-j@x.org')
    const moved = chainWith({ rules: moveSubjectRule(rules, 1, 0) })
    expect((await show(moved, claims)).subject).toBe('CN=team-x')
    expect((await show(moved, { ...claims, team: 'y' })).subject).toBe('CN=mail-j@x.org')
    expect((await show(moved, { user_name: 'jane' })).subject).toBe('CN=jane')
  })

  it('PP-020 holds "is not" for false when the attribute is absent', async () => {
    const rules = [rule({ variable: 'team', operator: 'is_not', value: 'x' }, { CN: 'other' }), ...defaultSubjectRules]
    const chain = chainWith({ rules })
    expect((await show(chain, { user_name: 'jane', team: 'y' })).subject).toBe('CN=other')
    expect((await show(chain, { user_name: 'jane', team: 'x' })).subject).toBe('CN=jane')
    expect((await show(chain, { user_name: 'jane' })).subject).toBe('CN=jane')
    const absent = chainWith({ rules: [rule({ variable: 'team', operator: 'exist_not' }, { CN: 'none' }), ...defaultSubjectRules] })
    expect((await show(absent, { user_name: 'jane' })).subject).toBe('CN=none')
    expect((await show(absent, { user_name: 'jane', team: 'x' })).subject).toBe('CN=jane')
  })

  it('PP-022 selects technical tokens only with "user_type is Technical"', async () => {
    const rules = [rule({ variable: 'user_type', operator: 'is', value: 'Technical' }, { CN: 'tech-${name}' }), ...defaultSubjectRules]
    const chain = chainWith({ rules })
    // Both are of the same client; one is its own, in the other it speaks for Jane.
    const own = { grant_type: 'client_credentials', client_id: 'app', sub: 'app' }
    const hers = { grant_type: 'password', user_name: 'jane', client_id: 'app' }
    expect((await show(chain, own, 'technical')).subject).toBe('CN=tech-app')
    expect((await show(chain, hers, 'business')).subject).toBe('CN=jane')
  })

  it('PP-026 puts exactly the fields of the pattern that are not empty into the subject', async () => {
    const full = chainWith({
      rules: [rule(undefined, { C: 'DE', ST: 'BE', O: 'Example', OU: '${team}', L: 'Berlin', EMAIL: '${mail}', CN: '${name}' })],
    })
    expect((await show(full, { user_name: 'jane', team: 'x', mail: 'j@x.org' })).subject).toBe(
      'CN=jane,emailAddress=j@x.org,L=Berlin,OU=x,O=Example,ST=BE,C=DE',
    )
    expect((await show(full, { user_name: 'jane' })).subject).toBe('CN=jane,L=Berlin,O=Example,ST=BE,C=DE')
    const sparse = chainWith({ rules: [rule(undefined, { CN: '${name}', O: '', C: 'DE' })] })
    expect((await show(sparse, { user_name: 'jane' })).subject).toBe('CN=jane,C=DE')
  })

  it.each([
    ['Doe, Jane', String.raw`Doe\, Jane`],
    ['R+D "quoted"', String.raw`R\+D \"quoted\"`],
    [String.raw`back\slash <x>; y=z`, String.raw`back\\slash \<x\>\; y=z`],
    ['#leading', String.raw`\#leading`],
    [' blanks ', String.raw`\ blanks\ `],
    ['Jürgen Größe 日本 😀', 'Jürgen Größe 日本 😀'],
    ['${name}', '${name}'],
    ['CN=admin,O=x', String.raw`CN=admin\,O=x`],
  ])('PP-027 carries the value %s into the certificate unchanged', async (name, shown) => {
    const chain = chainWith({ rules: [rule(undefined, parseSubjectPattern(String.raw`CN=${'${name}'},O=Example\, Inc.`))] })
    const certificate = await chain.certificateOf({ kind: 'business', token: chain.tokens.sign({ user_name: name }) })
    expect(showCertificate(certificate).subject).toBe(String.raw`CN=${shown},O=Example\, Inc.`)
    expect(new X509Certificate(certificate).toLegacyObject().subject).toMatchObject({ CN: name, O: 'Example, Inc.' })
  })

  it.each([
    ['RSA', { kind: 'rsa', bits: 2048 }, 'sha256WithRSAEncryption'],
    ['P-256', { kind: 'ec', curve: 'P-256' }, 'ecdsa-with-SHA256'],
    ['P-384', { kind: 'ec', curve: 'P-384' }, 'ecdsa-with-SHA384'],
  ] as const)(
    'PP-029 issues under an own CA with a key on %s what verifies, with its name and the validity that is set',
    async (_, key, algorithm) => {
      const clock = createManualClock(start)
      // It begins before the certificates do, whose beginning is that of the issuer then.
      const older = createManualClock(start - 60 * minute)
      const own = await createCertificateAuthority({ subject: parseName('CN=Own CA,O=Example,C=DE'), clock: older, key })
      const chain = createChain({ authority: own, clock, validityMinutes: 90 })
      const certificate = await chain.certificateOf({ kind: 'business', token: chain.tokens.user('jane') })
      const shown = showCertificate(certificate)
      expect(shown.issuer).toBe(showCertificate(own.certificate).subject)
      expect(shown.notAfterMs).toBe(start + 90 * minute)
      expect(shown.notBeforeMs).toBe(start - 5 * minute)
      expect(shown.text).toContain(`Signature Algorithm: ${algorithm}`)
      expect(verifyClient(certificate, own.certificate, start)).toContain(': OK')
      expect(verifyClient(certificate, own.certificate, start + 90 * minute + 1000)).toContain('certificate has expired')
      expect(verifyClient(certificate, authority.certificate, start)).not.toContain(': OK')
    },
  )

  it.each(['rsa', 'ec'] as const)(
    'PP-029 issues under a CA of somebody else with an %s key what verifies, with its name and the validity that is set',
    async (keyType) => {
      const foreign = createTestCa({ subject: '/C=DE/O=Müller, Söhne/CN=Foreign CA', keyType })
      const [certificate] = parsePemCertificates(foreign.certificate)
      if (certificate === undefined) throw new Error('the test CA has no certificate')
      const { notBeforeMs } = showCertificate(certificate)
      const now = notBeforeMs + 60 * minute
      const chain = createChain({
        authority: { certificate, privateKey: createPrivateKey(foreign.key) },
        clock: createManualClock(now),
        validityMinutes: 1,
      })
      const issued = await chain.certificateOf({ kind: 'business', token: chain.tokens.user('jane') })
      expect(verifyClient(issued, certificate, now)).toContain(': OK')
      expect(showCertificate(issued)).toMatchObject({ issuer: showCertificate(certificate).subject, notAfterMs: now + minute })
    },
  )

  it('marks certificates for client log-on with a digital signature and for nothing else', async () => {
    const chain = chainWith()
    const certificate = await chain.certificateOf({ kind: 'business', token: chain.tokens.user('jane') })
    const { text } = showCertificate(certificate)
    expect(text).toContain(
      'X509v3 Key Usage: critical Digital Signature X509v3 Extended Key Usage: TLS Web Client Authentication Signature Algorithm',
    )
    expect(text).toContain('X509v3 Authority Key Identifier')
    expect(text).toContain('Public-Key: (2048 bit)')
    for (const absent of ['Alternative Name', 'CRL', 'Authority Information', 'Basic Constraints']) expect(text).not.toContain(absent)
  })

  it('PP-030 ends a certificate with its CA, and issues none when that has expired or has not begun', async () => {
    const clock = createManualClock(start)
    const short = await createCertificateAuthority({
      subject: parseName('CN=Short CA'),
      clock,
      key: { kind: 'ec', curve: 'P-256' },
      validityDays: 1,
    })
    const end = start + 24 * 60 * minute
    const chain = createChain({ authority: short, clock, validityMinutes: 43_200 })
    const certificate = await chain.certificateOf({ kind: 'business', token: chain.tokens.user('jane') })
    expect(showCertificate(certificate).notAfterMs).toBe(end)
    expect(showCertificate(short.certificate).notAfterMs).toBe(end)
    clock.set(end - 10 * minute)
    const late = await chain.certificateOf({ kind: 'business', token: chain.tokens.user('late') })
    expect(showCertificate(late).notAfterMs).toBe(end)
    clock.set(end)
    expect(await chain.propagate({ kind: 'business', token: chain.tokens.user('jane') })).toMatchObject({
      issued: false,
      reason: 'authority-expired',
    })
    clock.set(start - 6 * minute)
    expect(await chain.propagate({ kind: 'business', token: chain.tokens.user('jane') })).toMatchObject({
      issued: false,
      reason: 'authority-not-yet-valid',
    })
  })

  it('PP-031 makes self-signed CAs and CA requests with keyCertSign', async () => {
    const key = { kind: 'rsa', bits: 2048 } as const
    const own = await createCertificateAuthority({ subject: parseName('CN=Own CA'), clock: createManualClock(start), key })
    const shown = showCertificate(own.certificate)
    expect(shown.text).toContain('X509v3 Key Usage: critical Certificate Sign X509v3 Basic Constraints: critical CA:TRUE, pathlen:0')
    expect([shown.subject, shown.issuer]).toEqual(['CN=Own CA', 'CN=Own CA'])
    expect(shown.notAfterMs).toBe(start + 365 * 24 * 60 * minute)
    const { request, privateKey } = await createAuthorityRequest({ subject: parseName('CN=Requested CA,C=DE'), key })
    const requested = showRequest(request)
    expect(requested).toContain('Subject: CN=Requested CA,C=DE')
    expect(requested).toContain('X509v3 Key Usage: critical Certificate Sign')
    expect(requested).toContain('X509v3 Basic Constraints: critical CA:TRUE')
    expect(privateKey.type).toBe('private')
  })

  it('PP-033 reuses the certificate of a user within its validity; another validity counts for the next one', async () => {
    const chain = chainWith()
    const first = await chain.certificateOf({ kind: 'business', token: chain.tokens.user('jane') })
    chain.clock.advance(53 * minute)
    const second = await chain.certificateOf({ kind: 'business', token: chain.tokens.user('jane') })
    expect(second).toBe(first)
    chain.clock.advance(minute)
    const third = await chain.certificateOf({ kind: 'business', token: chain.tokens.user('jane') })
    expect(showCertificate(third).serial).not.toBe(showCertificate(first).serial)
    expect(showCertificate(third).notAfterMs).toBe(chain.clock.now() + 60 * minute)
    const changed = createChain({ authority, clock: chain.clock, validityMinutes: 5 })
    const fourth = await changed.certificateOf({ kind: 'business', token: changed.tokens.user('jane') })
    expect(showCertificate(fourth).notAfterMs).toBe(chain.clock.now() + 5 * minute)
  })

  it('PP-034 makes sample certificates that equal those of users apart from serial and times; wrong parameters are refused', async () => {
    const clock = createManualClock(start)
    const rules = [rule(undefined, { CN: '${name}', OU: '${cp.team}', C: 'DE' })]
    const chain = createChain({ authority, clock, rules })
    const issuer = createCertificateIssuer({ authority, rules, validityMinutes: 60, clock, leafKey })
    const runtime = await chain.certificateOf({ kind: 'business', token: chain.tokens.sign({ user_name: 'Doe, Jane', team: 'x' }) })
    clock.advance(1000)
    const sample = await issuer.sample(0, { name: 'Doe, Jane', 'cp.team': 'x' })
    const comparable = (certificate: Buffer): string =>
      showCertificate(certificate)
        .text.replaceAll(/Serial Number: [0-9a-f:]+|serial=\w+|Signature Value: [0-9a-f: ]+/g, '')
        .replaceAll(/Not (Before|After ?): [^G]+GMT|not(Before|After)=\S+ \S+/g, '')
    expect(comparable(sample)).toBe(comparable(runtime))
    expect(showCertificate(sample).serial).not.toBe(showCertificate(runtime).serial)
    expect(verifyClient(sample, authority.certificate, clock.now())).toContain(': OK')
    const refusal = expect.objectContaining({
      code: 'MESSAGE_INVALID',
      traits: expect.objectContaining({ status: 400 }) as unknown,
    }) as unknown
    for (const variables of [
      {},
      { name: 'a' },
      { name: 'a', 'cp.team': '' },
      { name: 'a', 'cp.team': 'x', mail: 'm' },
      { name: 'a\n', 'cp.team': 'x' },
    ]) {
      await expect(issuer.sample(0, variables as Record<string, string>)).rejects.toThrow(refusal)
    }
    await expect(issuer.sample(1, { name: 'a' })).rejects.toThrow(refusal)
  })
})
