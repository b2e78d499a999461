import {
  createIssuer,
  createCertificationRequest,
  createSelfSignedCertificate,
  formatPem,
  formatSubject,
  parseCertificationRequest,
  parseName,
  parsePemCertificates,
  type CertificateProfile,
} from '@sallyport/x509'
import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const missing = spawnSync('openssl', ['version']).status !== 0
if (missing && process.env['REQUIRE_REAL'] === '1') throw new Error('the openssl program is required and not there')

interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}
const rsa: KeyPair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const kinds: readonly [string, KeyPair, string][] = [
  ['RSA', rsa, 'sha256WithRSAEncryption'],
  ['P-256', p256, 'ecdsa-with-SHA256'],
  ['P-384', p384, 'ecdsa-with-SHA384'],
]
const day = 86_400_000
const now = Math.floor(Date.now() / 1000) * 1000
const notBefore = new Date(now - day)
const notAfter = new Date(now + 30 * day)

function authority({ publicKey, privateKey }: KeyPair): { readonly certificate: Buffer; readonly privateKey: KeyObject } {
  const extensions = {
    basicConstraints: { ca: true, pathLength: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'],
    subjectKeyIdentifier: true,
  } as const
  const subject = parseName(String.raw`CN=Test CA,O=Example\, Inc.,C=DE`)
  return { certificate: createSelfSignedCertificate({ subject, publicKey, notBefore, notAfter, extensions }, privateKey), privateKey }
}

describe.skipIf(missing)('the openssl program', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-x509-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const openssl = (args: readonly string[], input = ''): string =>
    execFileSync('openssl', args, { cwd: folder, input, stdio: ['pipe', 'pipe', 'pipe'] }).toString()
  const save = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return name
  }
  const saveCertificate = (name: string, der: Buffer): string => save(name, formatPem('CERTIFICATE', der))
  const text = (der: Buffer): string =>
    openssl(['x509', '-noout', '-text', '-nameopt', 'RFC2253,-esc_msb,utf8'], formatPem('CERTIFICATE', der))

  it.each(kinds)('verifies certificates of an authority with a key on %s for the purpose they are made for', (_, pair, algorithm) => {
    const ca = authority(pair)
    saveCertificate('ca.pem', ca.certificate)
    const issuer = createIssuer(ca)
    const common = { subject: parseName('CN=jane,C=DE'), notBefore, notAfter }
    for (const [, leaf] of kinds) {
      for (const [purpose, use] of [
        ['sslclient', 'clientAuth'],
        ['sslserver', 'serverAuth'],
      ] as const) {
        const extensions: CertificateProfile['extensions'] = {
          keyUsage: ['digitalSignature'],
          extendedKeyUsage: [use],
          authorityKeyIdentifier: true,
          subjectKeyIdentifier: true,
          basicConstraints: { ca: false },
        }
        const certificate = issuer.issue({ ...common, publicKey: leaf.publicKey, extensions })
        const verify = (as: string): string =>
          openssl(['verify', '-x509_strict', '-purpose', as, '-CAfile', 'ca.pem', saveCertificate('leaf.pem', certificate)])
        expect(verify(purpose)).toContain('leaf.pem: OK')
        expect(() => verify(purpose === 'sslclient' ? 'sslserver' : 'sslclient')).toThrow(/certificate purpose/)
        expect(text(certificate)).toContain(`Signature Algorithm: ${algorithm}`)
      }
    }
  })

  it('reads every extension as it was meant', () => {
    const ca = authority(p256)
    const extensions: CertificateProfile['extensions'] = {
      basicConstraints: { ca: true, pathLength: 3 },
      keyUsage: ['digitalSignature', 'keyEncipherment', 'keyCertSign', 'cRLSign'],
      extendedKeyUsage: ['serverAuth', 'clientAuth'],
      subjectAltNames: [{ dns: 'a.example' }, { ip: '10.0.0.1' }, { ip: '::1' }, { email: 'a@b.org' }, { uri: 'https://x.example/' }],
      authorityKeyIdentifier: true,
      subjectKeyIdentifier: true,
    }
    const shown = text(
      createIssuer(ca).issue({ subject: parseName('CN=a'), publicKey: rsa.publicKey, notBefore, notAfter, extensions }),
    ).replaceAll(/\s+/g, ' ')
    const keyId = ({ privateKey }: KeyPair): string => {
      save('id.key', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
      const own = openssl(['req', '-x509', '-new', '-key', 'id.key', '-subj', '/CN=a', '-addext', 'subjectKeyIdentifier=hash'])
      return /Subject Key Identifier: *\n *([0-9A-F:]+)/.exec(openssl(['x509', '-noout', '-text'], own))?.[1] ?? 'none'
    }
    for (const expected of [
      'X509v3 Basic Constraints: critical CA:TRUE, pathlen:3',
      'X509v3 Key Usage: critical Digital Signature, Key Encipherment, Certificate Sign, CRL Sign',
      'X509v3 Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication',
      'X509v3 Subject Alternative Name: DNS:a.example, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1, email:a@b.org, URI:https://x.example/',
      `X509v3 Subject Key Identifier: ${keyId(rsa)}`,
      `X509v3 Authority Key Identifier: ${keyId(p256)}`,
    ]) {
      expect(shown).toContain(expected)
    }
  })

  it.each([
    String.raw`CN=Doe\, Jane,OU=R\+D,O=\"Quoted\" \<Ltd\>\; x,L=\#1,ST=\ blank\ ,C=DE`,
    'CN=Jürgen 日本 😀,EMAIL=j@example.org,O=Größe,C=AT',
    String.raw`CN=back\\slash=,UID=u1,DC=example,DC=org`,
  ])('shows the subject %s as it was given', (name) => {
    const certificate = createIssuer(authority(p256)).issue({
      subject: parseName(name),
      publicKey: p256.publicKey,
      notBefore,
      notAfter,
      extensions: {},
    })
    const shown = /Subject: (.*)/.exec(text(certificate))?.[1] ?? ''
    expect(shown).toBe(name.replace('EMAIL=', 'emailAddress='))
    expect(formatSubject(certificate)).toBe(name)
  })

  it('agrees about times on both sides of 2050', () => {
    const times = { notBefore: new Date('2049-12-31T23:59:59Z'), notAfter: new Date('2050-01-01T00:00:00Z') }
    const shown = text(
      createIssuer(authority(p256)).issue({ subject: parseName('CN=a'), publicKey: p256.publicKey, ...times, extensions: {} }),
    )
    expect(shown).toMatch(/Not Before: Dec 31 23:59:59 2049 GMT\s+Not After : Jan {2}1 00:00:00 2050 GMT/)
  })

  it.each(kinds)('accepts our requests for keys on %s and shows the extensions they ask for', (_, pair) => {
    const request = createCertificationRequest(parseName(String.raw`CN=a\, b,C=DE`), pair.privateKey, pair.publicKey, {
      keyUsage: ['keyCertSign', 'cRLSign'],
      basicConstraints: { ca: true },
      subjectAltNames: [{ dns: 'a.example' }],
    })
    save('ours.csr', formatPem('CERTIFICATE REQUEST', request))
    const verified = spawnSync('openssl', ['req', '-verify', '-noout', '-text', '-in', 'ours.csr', '-nameopt', 'RFC2253'], { cwd: folder })
    expect(verified.status).toBe(0)
    expect(verified.stderr.toString()).toContain('verify OK')
    const shown = verified.stdout.toString().replaceAll(/\s+/g, ' ')
    expect(shown).toContain(String.raw`Subject: CN=a\, b,C=DE`)
    expect(shown).toContain('X509v3 Key Usage: critical Certificate Sign, CRL Sign')
    expect(shown).toContain('X509v3 Basic Constraints: critical CA:TRUE')
  })

  it('accepts our request without extensions', () => {
    save('plain.csr', formatPem('CERTIFICATE REQUEST', createCertificationRequest(parseName('CN=a'), p256.privateKey, p256.publicKey)))
    expect(spawnSync('openssl', ['req', '-verify', '-noout', '-in', 'plain.csr'], { cwd: folder }).stderr.toString()).toContain('verify OK')
  })

  it.each([
    ['RSA', ['-newkey', 'rsa:2048'], []],
    ['RSA with SHA-512', ['-newkey', 'rsa:2048', '-sha512'], []],
    ['P-256', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], []],
    ['P-384 with SHA-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384'], []],
    ['RSA with extensions', ['-newkey', 'rsa:2048'], ['-addext', 'subjectAltName=DNS:a.example', '-addext', 'keyUsage=keyCertSign']],
  ])('makes requests that we read: %s', (_, key, extensions) => {
    openssl([
      'req',
      '-new',
      '-nodes',
      ...key,
      '-keyout',
      'theirs.key',
      '-out',
      'theirs.csr',
      '-utf8',
      '-subj',
      '/C=DE/O=Müller \\/ Söhne/CN=a\\+b, c',
      ...extensions,
    ])
    const request = parseCertificationRequest(readFileSync(join(folder, 'theirs.csr')))
    expect(request.subject).toEqual([
      { type: 'CN', value: 'a+b, c' },
      { type: 'O', value: 'Müller / Söhne' },
      { type: 'C', value: 'DE' },
    ])
    const key0 = createPrivateKey(readFileSync(join(folder, 'theirs.key')))
    expect(request.publicKey.export({ type: 'spki', format: 'pem' })).toBe(
      openssl(['pkey', '-pubout'], key0.export({ type: 'pkcs8', format: 'pem' }) as string),
    )
  })

  it.each([
    ['RSA of 1024 bits', ['-newkey', 'rsa:1024'], '/CN=a', 'outside 2048 to 8192'],
    ['Ed25519', ['-newkey', 'ed25519'], '/CN=a', 'other than RSA'],
    ['P-521', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521'], '/CN=a', 'other than RSA'],
    [
      'explicit curve parameters',
      ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'],
      '/CN=a',
      'other than RSA',
    ],
    ['RSA-PSS signatures', ['-newkey', 'rsa:2048', '-sigopt', 'rsa_padding_mode:pss'], '/CN=a', 'unsupported signature'],
    ['SHA-1', ['-newkey', 'rsa:2048', '-sha1'], '/CN=a', 'unsupported signature'],
    ['a huge public exponent', ['-newkey', 'rsa:2048', '-pkeyopt', 'rsa_keygen_pubexp:18446744073709551617'], '/CN=a', 'exponent'],
    ['an attribute we have no word for', ['-newkey', 'rsa:2048'], '/CN=a/title=x', 'attribute other than'],
    ['several attributes in one relative name', ['-newkey', 'rsa:2048', '-multivalue-rdn'], '/CN=a+OU=b', 'several attributes'],
  ])('makes requests that we refuse: %s', (_, key, subject, problem) => {
    openssl(['req', '-new', '-nodes', ...key, '-keyout', 'refused.key', '-out', 'refused.csr', '-subj', subject])
    expect(() => parseCertificationRequest(readFileSync(join(folder, 'refused.csr')))).toThrow(problem)
  })

  it.each([
    ['default', '/C=DE/O=Printable/CN=CA', /^CN=CA,O=Printable,C=DE$/],
    ['nombstr', '/C=DE/O=Müller/CN=CA', /^CN=CA,2\.5\.4\.10=#1406[0-9a-f]{12},C=DE$/],
    ['utf8only', '/C=DE/O=Müller/CN=CA', /^CN=CA,O=Müller,C=DE$/],
    ['pkix', '/C=DE/O=Müller/title=Dr./CN=CA+OU=multi', /^(CN=CA\+OU=multi|OU=multi\+CN=CA),2\.5\.4\.12=#[0-9a-f]+,O=Müller,C=DE$/],
  ])('has authorities whose names we copy byte for byte: string mask %s', (mask, subject, shown) => {
    save(
      'ca.cnf',
      `[req]\nstring_mask=${mask}\ndistinguished_name=dn\n[dn]\n[v3]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=0102030405060708\n`,
    )
    const create =
      'req -x509 -config ca.cnf -extensions v3 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -utf8 -multivalue-rdn -days 90 -subj'
    openssl([...create.split(' '), subject])
    const [certificate] = parsePemCertificates(readFileSync(join(folder, 'own.pem'), 'utf8'))
    if (certificate === undefined) throw new Error('no certificate')
    const leaf = createIssuer({ certificate, privateKey: createPrivateKey(readFileSync(join(folder, 'own.key'))) }).issue({
      subject: parseName('CN=a'),
      publicKey: p256.publicKey,
      notBefore,
      notAfter,
      extensions: { authorityKeyIdentifier: true, extendedKeyUsage: ['clientAuth'] },
    })
    saveCertificate('own-leaf.pem', leaf)
    const nameAt = (file: string, field: number): string => {
      const fields = openssl(['asn1parse', '-in', file])
        .split('\n')
        .filter((line) => line.includes(':d=2 '))
      const [offset, headLength, length] =
        /^ *(\d+):d=2 +hl=(\d+) l= *(\d+)/
          .exec(fields[field] ?? '')
          ?.slice(1)
          .map(Number) ?? []
      if (offset === undefined || headLength === undefined || length === undefined) throw new Error('no such field')
      const [der] = parsePemCertificates(readFileSync(join(folder, file), 'utf8'))
      return der?.subarray(offset, offset + headLength + length).toString('hex') ?? ''
    }
    expect(nameAt('own-leaf.pem', 3)).toBe(nameAt('own.pem', 5))
    expect(openssl(['verify', '-purpose', 'sslclient', '-CAfile', 'own.pem', 'own-leaf.pem'])).toContain('OK')
    expect(text(leaf)).toContain('01:02:03:04:05:06:07:08')
    expect(new X509Certificate(leaf).issuer).toBe(new X509Certificate(certificate).subject)
    expect(formatSubject(certificate)).toMatch(shown)
  })
})
