import { createPublicKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createIssuer,
  createSelfSignedCertificate,
  formatName,
  formatSubject,
  issueCertificate,
  parseName,
  readCertificateUse,
  readSubject,
  type CertificateProfile,
  type NameAttribute,
} from './index.ts'

interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const rsa: KeyPair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const begin = new Date('2030-01-01T00:00:00Z')
const end = new Date('2031-01-01T00:00:00Z')

function authority(
  { publicKey, privateKey }: KeyPair,
  subject = 'CN=Test CA,O=Example,C=DE',
): { certificate: Buffer; privateKey: KeyObject } {
  const extensions = { basicConstraints: { ca: true }, keyUsage: ['keyCertSign'], subjectKeyIdentifier: true } as const
  const profile = { subject: parseName(subject), publicKey, notBefore: begin, notAfter: end, extensions }
  return { certificate: createSelfSignedCertificate(profile, privateKey), privateKey }
}

const profile = (changes: Partial<CertificateProfile> = {}): CertificateProfile => ({
  subject: parseName('CN=jane'),
  publicKey: ec.publicKey,
  notBefore: begin,
  notAfter: end,
  extensions: {},
  ...changes,
})

describe.each([
  ['RSA', rsa],
  ['P-256', ec],
  ['P-384', p384],
])('an authority with a key on %s', (_, pair) => {
  it('issues certificates that its key verifies and that name it as issuer', () => {
    const ca = authority(pair)
    const root = new X509Certificate(ca.certificate)
    const leaf = new X509Certificate(issueCertificate(profile({ extensions: { authorityKeyIdentifier: true } }), ca))
    expect(root.verify(pair.publicKey)).toBe(true)
    expect(leaf.verify(pair.publicKey)).toBe(true)
    expect(leaf.checkIssued(root)).toBe(true)
    expect(leaf.issuer).toBe(root.subject)
    expect([leaf.validFromDate, leaf.validToDate]).toEqual([begin, end])
    expect(root.ca).toBe(true)
    expect(leaf.ca).toBe(false)
  })
})

describe('subjects', () => {
  const issuer = createIssuer(authority(ec))
  const subjectOf = (subject: readonly NameAttribute[]): Buffer => issuer.issue(profile({ subject }))

  it('survive into the certificate whatever characters they have', () => {
    const awkward = fc.constantFrom(
      'Doe, Jane',
      'a+b',
      '"quoted"',
      '#hash',
      ' blank ',
      'back\\slash',
      '<x>;y=z',
      'ÄÖ日本😀',
      '\t',
      "O'Neil",
    )
    const text = fc.oneof(awkward, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 })).filter((value) => !value.includes('\0'))
    fc.assert(
      fc.property(
        text,
        fc.option(text),
        fc.option(fc.emailAddress()),
        fc.option(fc.stringMatching(/^[A-Z]{2}$/)),
        (name, unit, email, country) => {
          const subject: NameAttribute[] = [{ type: 'CN', value: name }]
          if (email !== null) subject.push({ type: 'EMAIL', value: email })
          if (unit !== null) subject.push({ type: 'OU', value: unit })
          if (country !== null) subject.push({ type: 'C', value: country })
          const certificate = subjectOf(subject)
          const expected = {
            CN: name,
            ...(email !== null && { emailAddress: email }),
            ...(unit !== null && { OU: unit }),
            ...(country !== null && { C: country }),
          }
          expect({ ...new X509Certificate(certificate).toLegacyObject().subject }).toEqual(expected)
          expect(readSubject(certificate)).toEqual(subject)
          expect(formatSubject(certificate)).toBe(formatName(subject))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('are written least specific first with the string type that belongs to each attribute', () => {
    const certificate = subjectOf(parseName('CN=a,EMAIL=a@b.org,SERIALNUMBER=7,DC=x,UID=u,L=l,OU=u,O=o,ST=s,C=DE'))
    const hex = certificate.toString('hex')
    const order = ['0603550406130244', '06035504080c', '060355040a0c', '060355040b0c', '06035504070c', '060a0992268993f22c6401010c']
    const rest = ['060a0992268993f22c64011916', '060355040513', '06092a864886f70d01090116', '06035504030c0161']
    const positions = [...order, ...rest].map((element) => hex.lastIndexOf(element))
    expect(positions).not.toContain(-1)
    expect(positions).toEqual(positions.toSorted((a, b) => a - b))
  })

  it.each([
    ['an empty value', { type: 'CN', value: '' }, 'empty CN'],
    ['a NUL', { type: 'CN', value: 'admin\0.example' }, 'NUL'],
    ['half a character', { type: 'CN', value: '\ud800' }, 'Unicode'],
    ['too long a value', { type: 'CN', value: 'ä'.repeat(513) }, 'more than 1024 bytes'],
    ['a country of three letters', { type: 'C', value: 'DEU' }, 'two letters'],
    ['a country of digits', { type: 'C', value: '49' }, 'two letters'],
    ['an e-mail address outside ASCII', { type: 'EMAIL', value: 'jürgen@b.org' }, 'outside ASCII'],
    ['a serial number with an underscore', { type: 'SERIALNUMBER', value: 'a_b' }, 'PrintableString'],
  ] as const)('are refused with %s', (_, attribute, problem) => {
    expect(() => subjectOf([attribute])).toThrow(
      expect.objectContaining({ code: 'MESSAGE_INVALID', message: expect.stringContaining(problem) as string }),
    )
  })

  it('are refused with more than 32 attributes', () => {
    expect(() => subjectOf(Array.from({ length: 33 }, () => ({ type: 'OU' as const, value: 'a' })))).toThrow('more than 32')
  })

  it('may be empty, and alternative names are critical then', () => {
    const certificate = issuer.issue(profile({ subject: [], extensions: { subjectAltNames: [{ dns: 'a.example' }] } }))
    expect(new X509Certificate(certificate).subjectAltName).toBe('DNS:a.example')
    expect(certificate.toString('hex')).toContain('0603551d110101ff')
    expect(formatSubject(certificate)).toBe('')
  })
})

describe('fields', () => {
  const ca = authority(rsa)

  it('have random positive serial numbers of 16 octets', () => {
    const issuer = createIssuer(ca)
    const serials = Array.from({ length: 50 }, () => new X509Certificate(issuer.issue(profile())).serialNumber)
    expect(new Set(serials).size).toBe(50)
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/)
  })

  it.each([
    ['00ff', 'FF'],
    ['80', '80'],
    [`7f${'ff'.repeat(19)}`, `7F${'FF'.repeat(19)}`],
    ['ff'.repeat(19), 'FF'.repeat(19)],
  ])('take the serial number %s', (serial, shown) => {
    expect(new X509Certificate(issueCertificate(profile({ serialNumber: Buffer.from(serial, 'hex') }), ca)).serialNumber).toBe(shown)
  })

  it.each(['', '00', '0000', 'ff'.repeat(20), '01'.repeat(21)])('refuse the serial number "%s"', (serial) => {
    expect(() => issueCertificate(profile({ serialNumber: Buffer.from(serial, 'hex') }), ca)).toThrow(/serial number/)
  })

  it('switch to four-digit years in 2050', () => {
    const times = { notBefore: new Date('2049-12-31T23:59:59Z'), notAfter: new Date('2050-01-01T00:00:00Z') }
    const certificate = new X509Certificate(issueCertificate(profile(times), ca))
    expect([certificate.validFromDate, certificate.validToDate]).toEqual([times.notBefore, times.notAfter])
  })

  it('refuse an end before the beginning and times that are none', () => {
    expect(() => issueCertificate(profile({ notBefore: end, notAfter: begin }), ca)).toThrow('ends before it begins')
    expect(() => issueCertificate(profile({ notAfter: new Date('x') }), ca)).toThrow('ends before it begins')
  })

  it('carry alternative names of every kind', () => {
    const subjectAltNames = [
      { dns: '*.example.org' },
      { ip: '127.0.0.1' },
      { ip: '::1' },
      { ip: 'fe80::1:2' },
      { ip: '2001:db8:1:2:3:4:5:6' },
      { ip: '::ffff:1.2.3.4' },
      { ip: '1::' },
      { email: 'a@b.org' },
      { uri: 'urn:x:y' },
    ]
    expect(new X509Certificate(issueCertificate(profile({ extensions: { subjectAltNames } }), ca)).subjectAltName).toBe(
      'DNS:*.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FE80:0:0:0:0:0:1:2, IP Address:2001:DB8:1:2:3:4:5:6, ' +
        'IP Address:0:0:0:0:0:FFFF:102:304, IP Address:1:0:0:0:0:0:0:0, email:a@b.org, URI:urn:x:y',
    )
  })

  it.each([
    { dns: '' },
    { dns: 'a b' },
    { dns: 'a\0b' },
    { dns: 'münchen.de' },
    { ip: '1.2.3' },
    { ip: 'fe80::1%eth0' },
    { ip: 'a' },
    { uri: 'x'.repeat(1025) },
  ])('refuse the alternative name %j', (name) => {
    expect(() => issueCertificate(profile({ extensions: { subjectAltNames: [name] } }), ca)).toThrow(/alternative name/)
  })

  it('refuse more than 100 alternative names and a path length that is none', () => {
    const subjectAltNames = Array.from({ length: 101 }, () => ({ dns: 'a' }))
    expect(() => issueCertificate(profile({ extensions: { subjectAltNames } }), ca)).toThrow('more than 100')
    expect(() => issueCertificate(profile({ extensions: { basicConstraints: { ca: true, pathLength: -1 } } }), ca)).toThrow('path length')
  })
})

describe('keys', () => {
  it('must belong to the certificate of the authority', () => {
    const { certificate } = authority(ec)
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect(() => createIssuer({ certificate, privateKey: other.privateKey })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
    )
    expect(() => createSelfSignedCertificate(profile(), other.privateKey)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
    )
  })

  it.each([
    ['RSA of 1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 })],
    ['Ed25519', generateKeyPairSync('ed25519')],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ] as readonly [string, KeyPair][])('of kind %s neither sign nor are certified', (_, pair) => {
    const unsupported = expect.objectContaining({ code: 'CONFIGURATION_INVALID' }) as unknown
    expect(() => createIssuer({ ...authority(ec), privateKey: pair.privateKey })).toThrow(unsupported)
    expect(() => issueCertificate(profile({ publicKey: pair.publicKey }), authority(ec))).toThrow(unsupported)
  })

  it('are not mixed up: a private key is no public one', () => {
    expect(() => issueCertificate(profile({ publicKey: ec.privateKey }), authority(ec))).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
    )
    expect(() => createIssuer({ ...authority(ec), privateKey: createPublicKey(ec.privateKey) })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
    )
  })

  it('refuse an authority certificate that is damaged or too large', () => {
    const { certificate, privateKey } = authority(ec)
    for (const damaged of [
      certificate.subarray(0, -1),
      Buffer.concat([certificate, Buffer.from([0])]),
      Buffer.alloc(70_000),
      Buffer.alloc(0),
    ]) {
      expect(() => createIssuer({ certificate: damaged, privateKey })).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
    }
  })
})

describe('uses', () => {
  it('are read from a certificate, with nothing where it says nothing', () => {
    const { certificate } = authority(ec)
    expect(readCertificateUse(certificate)).toEqual({ authority: true, keyUsage: ['keyCertSign'] })
    const issuer = createIssuer(authority(ec))
    expect(readCertificateUse(issuer.issue(profile()))).toEqual({ authority: undefined, keyUsage: undefined })
    const keyUsage = ['digitalSignature', 'keyEncipherment', 'cRLSign'] as const
    const leaf = issuer.issue(profile({ extensions: { basicConstraints: { ca: false }, keyUsage } }))
    expect(readCertificateUse(leaf)).toEqual({ authority: false, keyUsage })
  })

  it('take a certificate that writes "no authority" out for none of an authority', () => {
    const { certificate } = authority(ec)
    const flag = certificate.indexOf(Buffer.from('0603551d130101ff0405', 'hex')) + 12
    const writtenOut = Buffer.from(certificate)
    expect(writtenOut.subarray(flag, flag + 3).toString('hex')).toBe('0101ff')
    writtenOut[flag + 2] = 0
    expect(readCertificateUse(writtenOut).authority).toBe(false)
  })
})
