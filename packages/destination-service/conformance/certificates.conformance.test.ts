import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { isPasswordRefused, readKeystore, writeJks, writePem, writePkcs12 } from '@sallyport/keystore'
import { createTestCa, type TestCa, type TestIdentity } from '@sallyport/test-fixtures'
import { createCertificationRequest, formatPem, parseName } from '@sallyport/x509'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { landscape, providerSubaccount, type RunningService, startService } from './running-service.ts'

const collection = '/v1/subaccountCertificates'
let running: RunningService
let ca: TestCa
let client: TestIdentity

beforeAll(async () => {
  running = await startService()
  ca = createTestCa()
  client = ca.issue({ subject: '/CN=client' })
})
afterAll(() => running.close())

const base64 = (content: string | Buffer): string => Buffer.from(content).toString('base64')
const upload = (Name: string, content: string | Buffer): object => ({ Name, Type: 'CERTIFICATE', Content: base64(content) })
const path = (name: string): string => `${collection}/${encodeURIComponent(name)}`

/** The file behind a name, as a client gets it. */
async function download(name: string): Promise<Buffer> {
  const answer = await running.call('GET', path(name))
  expect(answer.status).toBe(200)
  return Buffer.from((answer.json as { readonly Content: string }).Content, 'base64')
}

async function generate(Name: string, Attributes: object): Promise<Buffer> {
  expect(await running.call('POST', collection, { body: { Name, Attributes } })).toMatchObject({ status: 201, text: '' })
  return download(Name)
}

function certificatesOf(pem: Buffer): readonly X509Certificate[] {
  return pem
    .toString()
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .filter((text) => text.includes('BEGIN CERTIFICATE'))
    .map((text) => new X509Certificate(text))
}

/** A request whose subject nobody should believe. */
function certificationRequest(): { readonly pem: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const der = createCertificationRequest(parseName('CN=somebody important,O=Elsewhere'), privateKey, publicKey)
  return { pem: formatPem('CERTIFICATE REQUEST', der), publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

describe('uploads', () => {
  it('DS-111 come back byte for byte, whatever the format', async () => {
    const entry = { alias: 'c', certificates: [client.certificate, ca.certificate], privateKey: client.key, password: 'secret1' }
    const files: readonly (readonly [string, string | Buffer])[] = [
      ['client.pem', `text in front\r\n${client.certificate}${ca.certificate}${client.key}`],
      ['locked.pem', writePem(entry)],
      ['ca.crt', ca.certificate],
      ['ca.cer', new X509Certificate(ca.certificate).raw],
      ['ca.der', new X509Certificate(ca.certificate).raw],
      ["Jane's key (1).p12", await writePkcs12(entry)],
      ['client.PFX', await writePkcs12({ ...entry, password: '' })],
      ['client.jks', writeJks(entry, 0)],
    ]
    const body = files.map(([name, content]) => upload(name, content))
    const answer = await running.call('POST', collection, { body })
    expect(answer.status).toBe(201)
    for (const [index, [name, content]] of files.entries()) {
      const single = await running.call('GET', path(name))
      expect(single.json).toEqual({ Name: name, Type: 'CERTIFICATE', Content: base64(content) })
      expect(single.headers.get('etag')).toBe((answer.json as { readonly etag: string }[])[index]?.etag)
    }
    expect((await running.call('GET', collection)).json).toHaveLength(files.length)
    expect((await running.call('PUT', collection, { body: upload('ca.crt', client.certificate) })).text).toBe('{"Count":1}')
    expect((await download('ca.crt')).toString()).toBe(client.certificate)
  })

  it('DS-112 are refused when extension, Base64 or content cannot be', async () => {
    const cases: readonly (readonly [object, RegExp])[] = [
      [upload('x.txt', ca.certificate), /must end in \.pem/],
      [upload('x', ca.certificate), /must end in \.pem/],
      [upload('../x.pem', ca.certificate), /file name/],
      [upload('', ca.certificate), /file name/],
      [{ Name: 'x.pem', Content: 'not base64!' }, /Base64/],
      [{ Name: 'x.pem', Content: `${base64(ca.certificate)}\n` }, /Base64/],
      [{ Name: 'x.pem', Content: '' }, /Base64/],
      [{ Name: 'x.pem', Content: 7 }, /Base64/],
      [{ Name: 'x.pem' }, /Base64/],
      [upload('x.pem', 'no certificate'), /neither certificates nor private keys/],
      [upload('x.pem', client.key), /no certificate/],
      [upload('x.der', 'no certificate'), /neither certificates nor private keys/],
      [upload('x.p12', ca.certificate), /neither PKCS #12 nor a Java key store/],
      [upload('x.jks', ca.certificate), /neither PKCS #12 nor a Java key store/],
      [{ ...upload('x.pem', ca.certificate), Type: 'KEY' }, /"Type"/],
      [{ ...upload('x.pem', ca.certificate), Colour: 'red' }, /"Colour"/],
      [{ ...upload('x.pem', ca.certificate), Attributes: {} }, /either Content/],
    ]
    for (const [body, text] of cases) {
      const answer = await running.call('POST', collection, { body })
      expect(answer).toMatchObject({ status: 400, json: { ErrorMessage: expect.stringMatching(text) as string } })
    }
    expect((await running.call('GET', path('x.pem'))).status).toBe(404)
  })

  it('are looked at as wholes: a broken one among others is left out', async () => {
    const body = [upload('good.pem', ca.certificate), upload('bad.pem', 'x')]
    const answer = await running.call('POST', collection, { body })
    expect(answer).toMatchObject({
      status: 207,
      json: [
        { name: 'good.pem', status: 201 },
        { name: 'bad.pem', status: 400 },
      ],
    })
  })
})

describe('generated certificates', () => {
  it('DS-113 are a chain and a key in PEM, and key stores that open with the password', async () => {
    const pem = await generate('svc.pem', { CN: 'svc', Validity: { TimeUnit: 'DAYS', Value: 30 } })
    const [leaf, issuing, root, ...more] = certificatesOf(pem)
    expect(more).toEqual([])
    expect(leaf?.verify(issuing?.publicKey ?? raise())).toBe(true)
    expect(issuing?.verify(root?.publicKey ?? raise())).toBe(true)
    expect(root?.verify(root.publicKey)).toBe(true)
    expect([leaf?.ca, issuing?.ca, root?.ca]).toEqual([false, true, true])
    expect(pem.toString()).toMatch(/-----BEGIN PRIVATE KEY-----[\s\S]+-----END PRIVATE KEY-----\n$/)
    expect(await readKeystore({ name: 'svc.pem', content: pem })).toMatchObject({
      trusted: [],
      entries: [{ privateKey: expect.any(String) as string }],
    })

    for (const name of ['svc.p12', 'svc.pfx', 'svc.jks']) {
      const content = await generate(name, { Password: 'secret 1' })
      const { entries } = await readKeystore({ name, content, password: 'secret 1' })
      expect(entries).toMatchObject([
        { alias: name, certificates: [{}, issuing?.toString(), root?.toString()], privateKey: expect.any(String) as string },
      ])
      await expect(readKeystore({ name, content, password: 'other' })).rejects.toSatisfy(isPasswordRefused)
    }
    const locked = await generate('svc-locked.pem', { Password: 'secret 1' })
    expect(locked.toString()).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    expect((await readKeystore({ name: 'svc-locked.pem', content: locked, password: 'secret 1' })).locked).toBe(false)
  })

  it('say whose they are, for how long, and that they are for clients', async () => {
    const nowMs = running.clock.now()
    const [leaf, issuing] = certificatesOf(
      await generate('mine.pem', { CN: 'my service, Inc.', Validity: { TimeUnit: 'MONTHS', Value: 1 } }),
    )
    const id = '[0-9a-f-]{36}'
    expect(leaf?.subject.split('\n').toReversed()).toEqual([
      'CN=my service\\, Inc.',
      `L=${landscape}/${providerSubaccount}`,
      expect.stringMatching(new RegExp(`^OU=${id}$`)),
      'OU=Destination Certificates',
      'O=Sallyport',
    ])
    expect(issuing?.subject).toContain(`OU=${landscape}`)
    expect(leaf?.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(leaf?.validFromDate.getTime()).toBe(nowMs - 3_600_000)
    expect(leaf?.validToDate.toISOString()).toBe('2030-02-01T00:00:00.000Z')
    const [unnamed] = certificatesOf(await generate('unnamed.pem', {}))
    expect(unnamed?.subject).toContain('CN=unnamed.pem')
    expect(unnamed?.validToDate.toISOString()).toBe('2030-04-01T00:00:00.000Z')
    expect(unnamed?.serialNumber).not.toBe(leaf?.serialNumber)
  })

  it('DS-114 from a request carry its key, another subject and no private key; they are PEM', async () => {
    const request = certificationRequest()
    const CSR = base64(request.pem)
    const content = await generate('csr.pem', { CN: 'csr', CSR })
    const [leaf, , root] = certificatesOf(content)
    expect(leaf?.publicKey.export({ type: 'spki', format: 'pem' })).toBe(request.publicKey)
    expect(leaf?.subject).toContain('CN=csr')
    expect(leaf?.subject).not.toMatch(/important|Elsewhere/)
    expect(root?.ca).toBe(true)
    expect(content.toString()).not.toContain('PRIVATE KEY')
    for (const Name of ['csr.p12', 'csr.jks', 'csr.pfx']) {
      expect((await running.call('POST', collection, { body: { Name, Attributes: { CSR } } })).status).toBe(400)
    }
  })

  it('are made anew by PUT with Attributes', async () => {
    const before = certificatesOf(await generate('again.pem', { CN: 'first' }))[0]
    const answer = await running.call('PUT', collection, { body: { Name: 'again.pem', Attributes: { CN: 'second' } } })
    expect(answer).toMatchObject({ status: 200, text: '{"Count":1}' })
    const after = certificatesOf(await download('again.pem'))[0]
    expect(after?.subject).toContain('CN=second')
    expect(after?.fingerprint256).not.toBe(before?.fingerprint256)
  })

  it('are refused with what is wrong', async () => {
    const broken = certificationRequest().pem.replace(/(?<=\n)([^\n-]{60})(?=[^\n]{4}\n[^\n]+\n-----END)/, 'A'.repeat(60))
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [null, /must be a JSON object/],
      [{ CN: '' }, /CN/],
      [{ CN: 'a\u0000b' }, /CN/],
      [{ CN: 'x'.repeat(201) }, /CN/],
      [{ Validity: 30 }, /Validity/],
      [{ Validity: { TimeUnit: 'WEEKS', Value: 1 } }, /TimeUnit/],
      [{ Validity: { TimeUnit: 'DAYS', Value: 0 } }, /Value/],
      [{ Validity: { TimeUnit: 'DAYS', Value: 1.5 } }, /Value/],
      [{ Validity: { TimeUnit: 'YEARS', Value: 11 } }, /from 1 to 10 for YEARS/],
      [{ AutomaticRenew: 'sometimes' }, /AutomaticRenew/],
      [{ Password: 7 }, /Password/],
      [{ CSR: 'x' }, /CSR/],
      [{ CSR: base64('no request') }, /CSR/],
      [{ CSR: base64(broken) }, /CSR/],
      [{ Colour: 'red' }, /"Colour"/],
    ]
    for (const [Attributes, text] of cases) {
      const answer = await running.call('POST', collection, { body: { Name: 'refused.pem', Attributes } })
      expect(answer).toMatchObject({ status: 400, json: { ErrorMessage: expect.stringMatching(text) as string } })
    }
    expect((await running.call('POST', collection, { body: { Name: 'x.der', Attributes: {} } })).status).toBe(400)
    const many = Array.from({ length: 11 }, (_, index) => ({ Name: `${index}.pem`, Attributes: {} }))
    expect(await running.call('POST', collection, { body: many })).toMatchObject({ status: 400 })
  })

  it('come from one authority, also after a restart and on another replica', async () => {
    const other = certificatesOf(await generate('same.pem', {}))[2]
    expect(certificatesOf(await download('svc.pem'))[2]?.fingerprint256).toBe(other?.fingerprint256)
  })
})

describe('public keys', () => {
  const publicKeys = (name: string, headers = {}): ReturnType<RunningService['call']> =>
    running.call('GET', `${path(name)}/publicKeys`, { headers })

  it('DS-115 are one element per alias, leaf first; those behind an unknown password are refused', async () => {
    const issued = createTestCa({ subject: '/O=Test/CN=Root' })
    const leaf = issued.issue({ subject: '/C=DE/O=Acme/CN=leaf' })
    const entry = { alias: 'a', certificates: [leaf.certificate, issued.certificate], privateKey: leaf.key, password: '' }
    await running.call('POST', collection, {
      body: [
        // The wrong way round, and with a key between.
        upload('k.pem', issued.certificate + leaf.key + leaf.certificate),
        upload('k.p12', await writePkcs12(entry)),
        upload('k.jks', writeJks(entry, 0)),
        upload('secret.p12', await writePkcs12({ ...entry, password: 'secret1' })),
        upload('secret.jks', writeJks({ ...entry, password: 'secret1' }, 0)),
      ],
    })
    const element = { Content: leaf.certificate + issued.certificate, SubjectDN: 'CN=leaf,O=Acme,C=DE' }
    const pem = await publicKeys('k.pem')
    expect(pem.json).toEqual([element])
    expect(pem.headers.get('etag')).toBe((await running.call('GET', path('k.pem'))).headers.get('etag'))
    expect((await publicKeys('k.pem', { 'if-none-match': pem.headers.get('etag') })).status).toBe(304)
    for (const name of ['k.p12', 'k.jks']) expect((await publicKeys(name)).json).toEqual([{ Alias: 'a', ...element }])
    for (const name of ['secret.p12', 'secret.jks']) {
      expect(await publicKeys(name)).toMatchObject({
        status: 400,
        json: { ErrorMessage: 'The keystore is password-protected and public keys cannot be retrieved' },
      })
    }
    expect((await publicKeys('none.pem')).status).toBe(404)
  })

  it('of generated key stores are known, whatever their password', async () => {
    for (const name of ['own.p12', 'own.jks', 'own.pem']) {
      await generate(name, { CN: 'own', Password: 'secret1' })
      const [element, ...more] = (await publicKeys(name)).json as { readonly Content: string; readonly SubjectDN: string }[]
      expect(more).toEqual([])
      expect(certificatesOf(Buffer.from(element?.Content ?? ''))).toHaveLength(3)
      expect(element?.SubjectDN).toMatch(/^CN=own,L=/)
      expect(element?.Content).not.toContain('PRIVATE')
    }
  })
})

function raise(): never {
  throw new Error('there is no such certificate')
}
