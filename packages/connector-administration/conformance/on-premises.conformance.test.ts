import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { writePkcs12 } from '@sallyport/keystore'
import { createTestCa } from '@sallyport/test-fixtures'
import { formatPem, issueCertificate, parseCertificationRequest, parsePemCertificates } from '@sallyport/x509'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { administeredSubaccountSchema } from '../src/document/administered-subaccount.ts'
import { renderConnectors } from '../src/document/administered-source.ts'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const base = '/api/v1/configuration/connector/onPremises'
const der = { headers: { accept: 'application/pkix-cert' } }
const authority = createTestCa()
let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
})
afterEach(() => bench[Symbol.asyncDispose]())

const selfSigned = (path: string, subjectDN: string): Promise<{ readonly status: number }> =>
  bench.call('POST', `${base}/${path}`, { type: 'selfsigned', keySize: 2048, subjectDN })

describe.each(['systemCertificate', 'ppCaCertificate'])('%s', (name) => {
  it('is not there at first, is made for a year, shown as JSON and as DER, and removed', async () => {
    expect((await bench.call('GET', `${base}/${name}`)).status).toBe(404)
    expect((await selfSigned(name, 'CN=plant 7,O=Example\\, Inc.,C=DE')).status).toBe(201)
    const shown = (await bench.call('GET', `${base}/${name}`, undefined, { headers: { accept: '*/*' } })).json()
    expect(shown).toMatchObject({ subjectDN: 'CN=plant 7,O=Example\\, Inc.,C=DE', issuer: 'CN=plant 7,O=Example\\, Inc.,C=DE' })
    expect(shown.notAfterTimeStamp - shown.notBeforeTimeStamp).toBe(365 * 86_400_000 + 3_600_000)
    const answer = await bench.call('GET', `${base}/${name}`, undefined, der)
    expect(answer.headers['content-disposition']).toBe(
      `attachment;filename="${name === 'systemCertificate' ? 'system' : 'ca'}_certificate.der"`,
    )
    expect(new X509Certificate(answer.bytes).ca).toBe(name === 'ppCaCertificate')
    expect((await bench.call('DELETE', `${base}/${name}`)).status).toBe(204)
    expect((await bench.call('DELETE', `${base}/${name}`)).status).toBe(404)
  })

  it('CC-044 is requested: the answer to the latest request is taken, that to an older one is not', async () => {
    const answers: string[] = []
    for (let count = 0; count < 2; count++) {
      const { body, status } = await bench.call('POST', `${base}/${name}`, { type: 'csr', keySize: '2048', subjectDN: 'CN=requested' })
      expect(status).toBe(200)
      const { publicKey, subject } = parseCertificationRequest(body)
      answers.push(sign(publicKey, subject))
    }
    const [old = '', latest = ''] = answers
    expect(await bench.upload('PATCH', `${base}/${name}`, [['signedCertificate', Buffer.from(old)]])).toMatchObject({ status: 400 })
    expect(
      (await bench.upload('PATCH', `${base}/${name}`, [['signedCertificate', Buffer.from(`${authority.certificate}\n${latest}`)]])).status,
    ).toBe(201)
    expect((await bench.call('GET', `${base}/${name}`)).json().subjectDN).toBe('CN=requested')
    expect((await bench.upload('PATCH', `${base}/${name}`, [['signedCertificate', Buffer.from(latest)]])).status).toBe(400)
  })

  it('is uploaded as PKCS #12, and not with a wrong password or without a key', async () => {
    const issued = authority.issue({ subject: '/CN=uploaded' })
    const pkcs12 = await writePkcs12({ alias: 'one', certificates: [issued.certificate], privateKey: issued.key, password: 'secret' })
    expect(
      (
        await bench.upload('PUT', `${base}/${name}`, [
          ['pkcs12', pkcs12],
          ['password', 'wrong'],
        ])
      ).status,
    ).toBe(400)
    expect((await bench.upload('PUT', `${base}/${name}`, [['password', 'secret']])).status).toBe(400)
    expect((await bench.call('PUT', `${base}/${name}`, {})).status).toBe(415)
    expect(
      (
        await bench.upload('PUT', `${base}/${name}`, [
          ['pkcs12', pkcs12],
          ['password', 'secret'],
        ])
      ).status,
    ).toBe(204)
    expect((await bench.call('GET', `${base}/${name}`)).json().subjectDN).toBe('CN=uploaded')
  })

  it.each([
    [{ type: 'selfsigned', keySize: 1024, subjectDN: 'CN=x' }],
    [{ type: 'selfsigned', keySize: 2048 }],
    [{ type: 'selfsigned', keySize: 2048, subjectDN: 'no name' }],
    [{ type: 'other', subjectDN: 'CN=x' }],
  ])('is not made of %j', async (body) => {
    expect(await bench.call('POST', `${base}/${name}`, body)).toMatchObject({ status: 400 })
  })
})

describe('trust in backends', () => {
  it('is empty at first, grows by uploads of PEM and DER with lasting aliases, and is removed by one or as a whole', async () => {
    expect((await bench.call('GET', `${base}/truststore`)).json()).toEqual({ trustAllBackends: false, trustedBackends: [] })
    expect((await bench.call('GET', `${base}/truststore/certificates`)).status).toBe(404)
    const [one, two, three] = ['one', 'two', 'three'].map((name) => authority.issue({ subject: `/CN=${name}` }).certificate) as [
      string,
      string,
      string,
    ]
    expect((await bench.upload('POST', `${base}/truststore/certificates`, [['certificates', Buffer.from(`${one}${two}`)]])).status).toBe(
      201,
    )
    expect((await bench.upload('POST', `${base}/truststore/certificates`, [['certificate', new X509Certificate(three).raw]])).status).toBe(
      201,
    )
    expect((await bench.upload('POST', `${base}/truststore/certificates`, [['certificates', Buffer.from(two)]])).status).toBe(400)
    expect((await bench.upload('POST', `${base}/truststore/certificates`, [['certificates', Buffer.from('nonsense')]])).status).toBe(400)
    const { trustedBackends } = (await bench.call('GET', `${base}/truststore`)).json()
    expect(trustedBackends.map(({ alias, subjectDN }: any) => [alias, subjectDN])).toEqual([
      ['trustedbackend.0.0', 'CN=one'],
      ['trustedbackend.0.1', 'CN=two'],
      ['trustedbackend.1.0', 'CN=three'],
    ])
    expect((await bench.call('GET', `${base}/truststore/certificates/trustedbackend.0.1`, undefined, der)).bytes).toEqual(
      new X509Certificate(two).raw,
    )
    expect((await bench.call('DELETE', `${base}/truststore/certificates/trustedbackend.0.1`)).status).toBe(204)
    expect((await bench.call('DELETE', `${base}/truststore/certificates/trustedbackend.0.1`)).status).toBe(404)
    expect((await bench.call('GET', `${base}/truststore/certificates`)).body.match(/BEGIN/g)).toHaveLength(2)
    expect((await bench.call('DELETE', `${base}/truststore/certificates`)).status).toBe(204)
    expect((await bench.call('GET', `${base}/truststore`)).json().trustedBackends).toEqual([])
  })

  it('CC-170 is read and changed by both spellings of the path', async () => {
    const alias = base.replace('onPremises', 'onPremise')
    for (const [written, read, trustAllBackends] of [
      [base, alias, 'true'],
      [alias, base, 'false'],
    ] as const) {
      expect((await bench.call('PATCH', `${written}/truststore`, { trustAllBackends })).status).toBe(204)
      expect((await bench.call('GET', `${read}/truststore`)).json().trustAllBackends).toBe(trustAllBackends === 'true')
    }
    expect((await bench.call('PATCH', `${base}/truststore`, {})).status).toBe(400)
  })
})

describe('principal propagation', () => {
  const path = `${base}/subjectPatternRules`
  const add = (variable: string, CN = '${name}', value = 'x'): Promise<{ readonly status: number; readonly headers: any }> =>
    bench.call('POST', path, { description: variable, condition: { variable, operator: 'is', value }, subjectPattern: { CN } })

  it('PP-014 the validity settings take 1 to 336 hours and 1 to 43200 minutes, and nothing else', async () => {
    const put = (expirationToleranceInHr: number, certificateValidityInMin: number): Promise<{ readonly status: number }> =>
      bench.call('PUT', `${base}/ppSettings`, { expirationToleranceInHr, certificateValidityInMin })
    expect((await bench.call('GET', `${base}/ppSettings`)).json()).toEqual({ expirationToleranceInHr: 2, certificateValidityInMin: 60 })
    for (const [hours, minutes] of [
      [0, 60],
      [337, 60],
      [2, 0],
      [2, 43_201],
    ] as const)
      expect((await put(hours, minutes)).status).toBe(400)
    expect((await bench.call('PUT', `${base}/ppSettings`, { expirationToleranceInHr: 3 })).status).toBe(400)
    expect((await bench.call('PATCH', `${base}/ppSettings`, {})).status).toBe(400)
    for (const [hours, minutes] of [
      [1, 1],
      [336, 43_200],
    ] as const)
      expect((await put(hours, minutes)).status).toBe(204)
    expect((await bench.call('PATCH', `${base}/ppSettings`, { certificateValidityInMin: 5 })).status).toBe(204)
    expect((await bench.call('GET', `${base}/ppSettings`)).json()).toEqual({ expirationToleranceInHr: 336, certificateValidityInMin: 5 })
  })

  it('PP-024 PP-025 new rules come before the default one, in the texts of the original', async () => {
    expect((await add('email')).headers.location).toMatch(new RegExp(`^https://127\\.0\\.0\\.1:${bench.port}${path}/0$`))
    await bench.call('POST', path, {
      condition: { variable: 'mail', operator: 'exist_not' },
      subjectPattern: { CN: '${name}', O: 'Example, Inc.' },
    })
    await bench.call('POST', path, { condition: { variable: 'mail', operator: 'exist' }, subjectPattern: { CN: '${mail}' } })
    await bench.call('POST', path, {
      condition: { variable: 'name', operator: 'is_not', value: 'root' },
      subjectPattern: { CN: '${name}' },
    })
    expect((await bench.call('GET', path)).json().map(({ condition }: any) => condition)).toEqual([
      'email is x',
      'mail does not exist',
      'mail exists',
      'name is not root',
      'always true',
    ])
  })

  it('PP-021 PP-023 the default rule stays last and stays, and a value does not go with "exist"', async () => {
    await add('email')
    expect((await bench.call('DELETE', `${path}/1`)).status).toBe(400)
    expect((await bench.call('POST', `${path}/1/move`, { position: 0 })).status).toBe(400)
    const body = { condition: { variable: 'mail', operator: 'exist', value: 'x' }, subjectPattern: { CN: 'x' } }
    expect((await bench.call('POST', path, body)).status).toBe(400)
    await add('mail')
    expect((await bench.call('POST', `${path}/1/move`, { position: 0 })).status).toBe(200)
    expect((await bench.call('GET', path)).json()[0].condition).toBe('mail is x')
    expect((await bench.call('DELETE', `${path}/0`)).status).toBe(204)
    expect(
      (await bench.call('PUT', `${path}/0`, { condition: { variable: 'sub', operator: 'exist' }, subjectPattern: { CN: 'y' } })).status,
    ).toBe(204)
    expect((await bench.call('GET', path)).json().map(({ condition }: any) => condition)).toEqual(['sub exists', 'always true'])
  })

  it('PP-034 a sample certificate is signed by the CA; wrong variables give 400, and no CA gives 409', async () => {
    await bench.call('POST', path, {
      condition: { variable: 'mail', operator: 'exist' },
      subjectPattern: { CN: '${name}', EMAIL: '${mail}', O: 'Example, Inc.' },
    })
    const sample = `${path}/0/sampleCertificate`
    expect((await bench.call('GET', `${sample}?name=jane&mail=j%40e.org`)).status).toBe(409)
    await selfSigned('ppCaCertificate', 'CN=Demo CA')
    const ca = new X509Certificate((await bench.call('GET', `${base}/ppCaCertificate`, undefined, der)).bytes)
    const answer = await bench.call('GET', `${sample}?name=jane&mail=j%40e.org`, undefined, der)
    expect(answer.headers['content-disposition']).toBe('attachment;filename="scc_sample_cert.der"')
    const made = new X509Certificate(answer.bytes)
    expect(made.checkIssued(ca) && made.verify(createPublicKey(ca.publicKey.export({ type: 'spki', format: 'pem' })))).toBe(true)
    expect(made.subject).toContain('O=Example\\, Inc.')
    // The key is that of the certificates that the connector issues.
    const spki = { type: 'spki', format: 'der' } as const
    expect(made.publicKey.export(spki)).toEqual((await bench.connector.leafKey.publicKey()).export(spki))
    const pem = await bench.call('GET', `${sample}?name=jane&mail=x`, undefined, { headers: { accept: 'application/x-pem-file' } })
    expect(parsePemCertificates(pem.body)).toHaveLength(1)
    for (const query of ['name=jane', 'name=jane&mail=x&other=y']) expect((await bench.call('GET', `${sample}?${query}`)).status).toBe(400)
  })

  it('reaches the connector with everything else, in the form of the configuration file', async () => {
    await selfSigned('ppCaCertificate', 'CN=Demo CA')
    await bench.call('PUT', `${path}/0`, { subjectPattern: { CN: '${name}', O: 'Example, Inc.' } })
    await bench.editor.change('test', (document) => ({
      ...document,
      subaccounts: [administeredSubaccountSchema.parse({ subaccount: 'demo', regionHost: 'localhost' })],
    }))
    expect(renderConnectors(bench.editor.document).connectors).toMatchObject([
      {
        subaccount: 'demo',
        principalPropagation: { rules: [{ subject: 'CN=${name},O=Example\\, Inc.' }], ca: { key: { file: 'ppCaCertificate.key' } } },
      },
    ])
  })
})

function sign(publicKey: ReturnType<typeof createPublicKey>, subject: ReturnType<typeof parseCertificationRequest>['subject']): string {
  const [certificate = Buffer.alloc(0)] = parsePemCertificates(authority.certificate)
  const now = bench.clock.now()
  return formatPem(
    'CERTIFICATE',
    issueCertificate(
      { subject, publicKey, notBefore: new Date(now), notAfter: new Date(now + 86_400_000), extensions: {} },
      { certificate, privateKey: createPrivateKey(authority.key) },
    ),
  )
}
