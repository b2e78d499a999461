import { createManualClock } from '@sallyport/test-fixtures'
import { createIssuer, createSelfSignedCertificate, formatPem, parseName, type CertificateAuthority } from '@sallyport/x509'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type CertificateIssuer,
  type CertificateIssuerOptions,
  createCertificateAuthority,
  createCertificateIssuer,
  createLeafKey,
  defaultSubjectRules,
  encodeHeaderAsDer,
  encodeHeaderAsPem,
  explainAuthority,
  formatIssueFailure,
  formatNotMutuallyAuthenticated,
  type IssuedCertificate,
  type ValidatedPrincipal,
} from './index.ts'

const clock = createManualClock()
const minute = 60_000
const leafKey = createLeafKey('ec')
let authority: CertificateAuthority
beforeAll(async () => {
  authority = await createCertificateAuthority({ subject: parseName('CN=CA,C=DE'), clock, key: { kind: 'ec', curve: 'P-256' } })
})

const principal = (claims: object, kind: ValidatedPrincipal['kind'] = 'business'): ValidatedPrincipal =>
  Object.freeze({ kind, issuer: 'i', name: undefined, expiresAtSeconds: 0, claims: claims as ValidatedPrincipal['claims'] })
const issuerWith = (options: Partial<CertificateIssuerOptions> = {}): CertificateIssuer =>
  createCertificateIssuer({ authority, rules: defaultSubjectRules, validityMinutes: 60, clock, leafKey, ...options })
const issue = async (issuer: CertificateIssuer, who: ValidatedPrincipal): Promise<IssuedCertificate> => {
  const verdict = await issuer.issue(who)
  if (!verdict.issued) throw new Error(verdict.problem)
  return verdict.certificate
}

describe('issuing', () => {
  it('tells subject, issuer, header value and validity of a certificate', async () => {
    const issued = await issue(issuerWith(), principal({ user_name: 'Doe, Jane' }))
    expect(issued).toEqual({
      subject: String.raw`CN=Doe\, Jane`,
      issuer: 'CN=CA,C=DE',
      certificate: issued.certificate,
      headerValue: issued.certificate.toString('base64'),
      notBeforeMs: clock.now() - 5 * minute,
      notAfterMs: clock.now() + 60 * minute,
    })
    expect(Object.isFrozen(issued)).toBe(true)
    const read = new X509Certificate(Buffer.from(issued.headerValue, 'base64'))
    expect([read.validFromDate.getTime(), read.validToDate.getTime()]).toEqual([issued.notBeforeMs, issued.notAfterMs])
  })

  it('does not begin a certificate before its CA', async () => {
    const young = await createCertificateAuthority({ subject: parseName('CN=Young'), clock, key: { kind: 'ec', curve: 'P-256' } })
    const beginMs = new X509Certificate(young.certificate).validFromDate.getTime()
    const early = createManualClock(beginMs + minute)
    const issued = await issue(issuerWith({ authority: young, clock: early }), principal({ user_name: 'jane' }))
    expect(issued.notBeforeMs).toBe(beginMs)
  })

  it('PP-028 fails when a variable in CN has no value, in the documented words', async () => {
    const issuer = issuerWith({ rules: [{ pattern: { CN: '${login_name}', OU: '${team}' } }] })
    const verdict = await issuer.issue(principal({ user_name: 'jane' }))
    expect(verdict).toMatchObject({ issued: false, code: 'PRINCIPAL_NOT_ISSUED', reason: 'variable' })
    const problem = verdict.issued ? '' : verdict.problem
    expect(formatIssueFailure({ user: 'jane', system: 'erp:443', problem })).toBe(
      'Unable to generate authorization token for user jane on system erp:443: the token has no value for ${login_name}, which the CN of the subject pattern needs',
    )
    expect(await issuer.issue(principal({ login_name: 'jd' }))).toMatchObject({ issued: true, certificate: { subject: 'CN=jd' } })
  })

  it('refuses every principal without a CA', async () => {
    expect(await issuerWith({ authority: undefined }).issue(principal({ user_name: 'jane' }))).toMatchObject({
      issued: false,
      reason: 'no-authority',
    })
  })

  it('refuses values that no certificate should carry', async () => {
    for (const name of ['a\nb', 'a\0', 'x'.repeat(257)]) {
      expect(await issuerWith().issue(principal({ user_name: name }))).toMatchObject({ issued: false, reason: 'value' })
    }
  })

  it('answers with a refusal when the key cannot be made', async () => {
    const broken = { publicKey: () => Promise.reject(new Error('no entropy')) }
    expect(await issuerWith({ leafKey: broken }).issue(principal({ user_name: 'jane' }))).toMatchObject({ issued: false, reason: 'failed' })
  })

  it('carries any value that it accepts into the certificate as it is', async () => {
    const issuer = issuerWith({ rules: [{ pattern: { CN: '${name}', OU: '${team}' } }] })
    const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(value, value, async (name, team) => {
        const verdict = await issuer.issue(principal({ user_name: name, team }))
        const outcome = verdict.issued
          ? { ...new X509Certificate(verdict.certificate.certificate).toLegacyObject().subject }
          : verdict.reason
        // Line separators and the like are graphemes too, and no names.
        expect(outcome).toEqual(verdict.issued ? { CN: name, OU: team } : 'value')
      }),
      { numRuns: 200 },
    )
  })
})

describe('reuse', () => {
  it('answers a known principal synchronously until a tenth of the validity is left', async () => {
    const issuer = issuerWith()
    const jane = principal({ user_name: 'jane' })
    expect(issuer.peek(jane)).toBeUndefined()
    const issued = await issue(issuer, jane)
    expect(issuer.peek(jane)).toBe(issued)
    clock.advance(54 * minute - 1)
    expect(issuer.peek(jane)).toBe(issued)
    expect(await issuer.issue(jane)).toMatchObject({ issued: true, cached: true })
    clock.advance(1)
    expect(issuer.peek(jane)).toBeUndefined()
    expect(await issuer.issue(jane)).toMatchObject({ issued: true, cached: false })
  })

  it('gives principals with the same subject the same certificate, and others another', async () => {
    const issuer = issuerWith()
    const [one, two, other] = [principal({ user_name: 'jane' }), principal({ email: 'jane' }), principal({ user_name: 'Jane' })] as const
    const issued = await issue(issuer, one)
    expect(await issuer.issue(two)).toEqual({ issued: true, certificate: issued, cached: true })
    expect((await issue(issuer, other)).certificate).not.toEqual(issued.certificate)
  })

  it('never mixes up subjects that look alike in text', async () => {
    const issuer = issuerWith({ rules: [{ pattern: { CN: '${name}', OU: '${team}' } }] })
    const one = await issue(issuer, principal({ user_name: 'a', team: 'b' }))
    const two = await issue(issuer, principal({ user_name: 'a,OU=b' }))
    expect(one.subject).not.toBe(two.subject)
    expect(new X509Certificate(two.certificate).toLegacyObject().subject).toMatchObject({ CN: 'a,OU=b' })
  })

  it('signs once for many requests that come together', async () => {
    let signed = 0
    const issuer = issuerWith({
      leafKey: createLeafKey('ec'),
      encodeHeader(certificate) {
        signed++
        return encodeHeaderAsDer(certificate)
      },
    })
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => issuer.issue(principal({ user_name: 'jane' }))))
    expect(new Set(verdicts.map((verdict) => verdict.issued && verdict.certificate)).size).toBe(1)
    expect(signed).toBe(1)
  })

  it('does not hand out a certificate of another CA, another rule or another validity', async () => {
    const jane = principal({ user_name: 'jane' })
    const issued = await issue(issuerWith(), jane)
    expect(issuerWith().peek(jane)).toBeUndefined()
    expect((await issue(issuerWith(), jane)).certificate).not.toEqual(issued.certificate)
  })

  it('gives up the oldest certificate when there are too many', async () => {
    const issuer = issuerWith()
    const first = await issue(issuer, principal({ user_name: 'first' }))
    for (let user = 0; user < 10_000; user++) await issue(issuer, principal({ user_name: `u${user}` }))
    const again = await issuer.issue(principal({ user_name: 'u9999' }))
    expect(again).toMatchObject({ cached: true })
    expect(await issuer.issue(principal({ user_name: 'first' }))).toMatchObject({ cached: false })
    expect(first.subject).toBe('CN=first')
  })
})

describe('configuration', () => {
  it.each([0, 43_201, 1.5])('is refused with a validity of %d minutes', (validityMinutes) => {
    expect(() => issuerWith({ validityMinutes })).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }))
  })

  it('is refused with broken rules, and with a key that is not that of the CA', () => {
    expect(() => issuerWith({ rules: [] })).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }))
    expect(() => issuerWith({ rules: [{ pattern: { CN: '${' } }] })).toThrow(/rule 0\.pattern\.CN/)
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect(() => issuerWith({ authority: { ...authority, privateKey } })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
    )
    expect(() => issuerWith({ authority: { ...authority, certificate: Buffer.from('x') } })).toThrow(
      expect.objectContaining({ code: 'MESSAGE_INVALID' }),
    )
  })

  it('warns about certificates that do not look like those of an authority', async () => {
    expect(explainAuthority(authority.certificate)).toEqual([])
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const times = { notBefore: new Date(clock.now() - minute), notAfter: new Date(clock.now() + 600 * minute) }
    const plain = createSelfSignedCertificate({ subject: parseName('CN=x'), publicKey, ...times, extensions: {} }, privateKey)
    expect(explainAuthority(plain)).toHaveLength(2)
    const leaf = createIssuer(authority).issue({
      subject: parseName('CN=x'),
      publicKey,
      ...times,
      extensions: { basicConstraints: { ca: false }, keyUsage: ['digitalSignature'] },
    })
    expect(explainAuthority(leaf)).toHaveLength(2)
    // It still signs: backends may accept it.
    expect((await issue(issuerWith({ authority: { certificate: plain, privateKey } }), principal({ user_name: 'jane' }))).issuer).toBe(
      'CN=x',
    )
  })

  it('refuses a new CA of no validity or no subject', async () => {
    const key = { kind: 'ec', curve: 'P-256' } as const
    await expect(createCertificateAuthority({ subject: [], clock, key })).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    await expect(createCertificateAuthority({ subject: parseName('CN=x'), clock, key, validityDays: 0 })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
    })
  })

  it('makes no sample without a CA', async () => {
    await expect(issuerWith({ authority: undefined }).sample(0, { name: 'jane' })).rejects.toMatchObject({ code: 'PRINCIPAL_NOT_ISSUED' })
  })
})

describe('rendering', () => {
  it('encodes the header as DER or as PEM on one line', async () => {
    const { certificate } = await issue(issuerWith(), principal({ user_name: 'jane' }))
    expect(encodeHeaderAsDer(certificate)).toMatch(/^[A-Za-z0-9+/]+=*$/)
    const pem = encodeHeaderAsPem(certificate)
    expect(pem).toMatch(/^-----BEGIN CERTIFICATE----- [A-Za-z0-9+/= ]+ -----END CERTIFICATE-----$/)
    const lines = pem.replaceAll(/(?<!BEGIN|END) (?!CERT)/g, '\n')
    expect(`${lines}\n`).toBe(formatPem('CERTIFICATE', certificate))
    const issued = await issue(issuerWith({ encodeHeader: encodeHeaderAsPem }), principal({ user_name: 'jane' }))
    expect(issued.headerValue).toContain('-----BEGIN')
  })

  it('keeps names from breaking lines or filling pages', () => {
    const text = formatIssueFailure({ user: `a\r\nX: y\u2028${'z'.repeat(500)}\ud800`, system: 'erp:443', problem: 'p' })
    expect(text).toMatch(/^Unable to generate authorization token for user a\?\?X: y\?z{192} on system erp:443: p$/)
    expect(formatNotMutuallyAuthenticated({ user: undefined, system: 'erp:443' })).toBe(
      'Principal propagation forbidden for user (unnamed) on system erp:443, because the backend connection is not mutually authenticated.',
    )
  })
})
