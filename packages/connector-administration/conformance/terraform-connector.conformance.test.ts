import { createPrivateKey, X509Certificate } from 'node:crypto'
import { writePkcs12 } from '@sallyport/keystore'
import { createTestCa } from '@sallyport/test-fixtures'
import { formatPem, issueCertificate, parseCertificationRequest, parsePemCertificates } from '@sallyport/x509'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'
import { createProviderClient, type ProviderClient } from './provider-client.ts'

const connector = '/api/v1/configuration/connector'
const authority = createTestCa({ subject: '/C=DE/O=Example/CN=Signer', keyType: 'rsa' })

let bench: AdministrationBench
let client: ProviderClient
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master', isPageReplaced: true })
  client = createProviderClient(bench)
})
afterEach(() => bench[Symbol.asyncDispose]())

/** What the provider copies into its state. */
const described = (subjectDN: string) => ({
  subjectDN,
  issuer: expect.stringContaining('CN='),
  serialNumber: expect.stringMatching(/^([0-9a-f]{2}:)+[0-9a-f]{2}$/),
  notBeforeTimeStamp: expect.any(Number),
  notAfterTimeStamp: expect.any(Number),
})

/** The answer to a request, and the chain up to the root. */
function sign(request: string): string {
  const { publicKey, subject } = parseCertificationRequest(request)
  const [certificate = Buffer.alloc(0)] = parsePemCertificates(authority.certificate)
  const now = bench.clock.now()
  const own = issueCertificate(
    { subject, publicKey, notBefore: new Date(now), notAfter: new Date(now + 86_400_000), extensions: {} },
    { certificate, privateKey: createPrivateKey(authority.key) },
  )
  return `${formatPem('CERTIFICATE', own)}${authority.certificate}`
}

describe('a client that works like the Terraform provider', () => {
  it('CC-014 sets, changes, reads and removes the proxy, whose password it never sees', async () => {
    const path = `${connector}/proxy`
    for (const host of ['one.example', 'two.example']) {
      expect(await client.ok('PUT', path, { host, port: 3128, user: 'me', password: 'for the proxy' })).toBeUndefined()
      expect(await client.ok('GET', path)).toEqual({ host, port: '3128', user: 'me', password: '***' })
    }
    await client.ok('DELETE', path)
    expect(await client.ok('GET', path)).not.toMatchObject({ host: expect.stringContaining('example') })
  })

  it('adds a trusted certificate, finds it by its subject and its end, reads it by its alias, and removes it', async () => {
    // The old spelling, as the provider has it.
    const path = `${connector}/onPremise/truststore`
    const pem = createTestCa({ subject: '/C=DE/ST=Berlin/L=Mitte/O=Example/OU=Trust/CN=Backends' }).certificate
    const certificate = new X509Certificate(pem)
    await client.upload('POST', `${path}/certificates`, [['certificate', Buffer.from(pem)]])
    const { trustAllBackends, trustedBackends } = await client.ok('GET', path)
    expect([trustAllBackends, trustedBackends]).toEqual([
      expect.any(Boolean),
      [
        {
          alias: expect.any(String),
          subjectDN: 'CN=Backends,OU=Trust,O=Example,L=Mitte,ST=Berlin,C=DE',
          issuer: 'CN=Backends,OU=Trust,O=Example,L=Mitte,ST=Berlin,C=DE',
          notAfterTimeStamp: certificate.validToDate.getTime(),
        },
      ],
    ])
    const one = `${path}/certificates/${trustedBackends[0].alias}`
    expect((await client.binary(one)).equals(certificate.raw)).toBe(true)
    await client.ok('PATCH', path, { trustAllBackends: true })
    expect(await client.ok('GET', path)).toMatchObject({ trustAllBackends: true })
    await client.ok('DELETE', one)
    expect(await client.ok('GET', path)).toMatchObject({ trustedBackends: [] })
  })

  it('adds subject patterns above the last rule, reads them as texts with only what was set, and removes them by their place', async () => {
    const path = `${connector}/onPremises/subjectPatternRules`
    const rule = { description: 'robots', condition: { variable: 'user_type', operator: 'is', value: 'Technical' } }
    expect(await client.ok('POST', path, { ...rule, subjectPattern: { CN: '${name}', OU: 'Robots' } })).toBeUndefined()
    await client.ok('POST', path, {
      description: 'mail',
      condition: { variable: 'email', operator: 'exist_not' },
      subjectPattern: { CN: 'nobody' },
    })
    expect(await client.ok('GET', path)).toEqual([
      { description: 'robots', condition: 'user_type is Technical', subjectPattern: { CN: '${name}', OU: 'Robots' } },
      { description: 'mail', condition: 'email does not exist', subjectPattern: { CN: 'nobody' } },
      { condition: 'always true', subjectPattern: { CN: '${name}' } },
    ])
    await client.ok('PUT', `${path}/0`, { ...rule, subjectPattern: { CN: '${name}', O: 'Example' } })
    expect((await client.ok('GET', path))[0].subjectPattern).toEqual({ CN: '${name}', O: 'Example' })
    await client.ok('DELETE', `${path}/0`)
    expect((await client.ok('GET', path)).map(({ condition }: { condition: string }) => condition)).toEqual([
      'email does not exist',
      'always true',
    ])
  })

  describe.each([
    // The page always has one.
    ['system', `${connector}/onPremise/systemCertificate`, true],
    ['CA', `${connector}/onPremise/ppCaCertificate`, true],
    ['UI', `${connector}/ui/uiCertificate`, false],
  ] as const)('and the %s certificate', (_, path, removable) => {
    /** What the provider reads: members, and for two of them the certificate itself. */
    const read = async (): Promise<{ readonly subjectDN: string }> => {
      const members = await client.ok('GET', path)
      if (removable)
        expect(new X509Certificate(await client.binary(path)).subject.split('\n').toReversed().join(',')).toBe(members.subjectDN)
      return members
    }
    /** Whether it is gone; that of the page stays. */
    const isRemoved = async (): Promise<boolean> => {
      if (!removable) return true
      await client.ok('DELETE', path)
      return (await client.call('GET', path)).status === 404
    }

    it('has it made, reads it, has another one made and removes it', async () => {
      for (const subjectDN of ['CN=one,O=Example,C=DE', 'CN=two,O=Example,C=DE']) {
        await client.ok('POST', path, { type: 'selfsigned', keySize: 2048, subjectDN })
        expect(await read()).toMatchObject(described(subjectDN))
      }
      expect(await isRemoved()).toBe(true)
    })

    it('brings it with its key, then another one, and removes it', async () => {
      for (const name of ['one', 'two']) {
        const { certificate, key } = createTestCa({ subject: `/O=Example/CN=${name}`, keyType: 'rsa' })
        const pkcs12 = await writePkcs12({ alias: 'any', certificates: [certificate], privateKey: key, password: 'opens it' })
        await client.upload('PUT', path, [
          ['password', 'opens it'],
          ['keyPassword', 'opens it'],
          ['pkcs12', pkcs12],
        ])
        expect(await read()).toMatchObject(described(`CN=${name},O=Example`))
      }
      expect(await isRemoved()).toBe(true)
    })

    it('asks for a request and brings its answer with the chain, and removes it', async () => {
      const { body } = await client.call('POST', path, { type: 'csr', keySize: 2048, subjectDN: 'CN=asked,O=Example' })
      await client.upload('PATCH', path, [['signedCertificate', Buffer.from(sign(body))]])
      expect(await read()).toMatchObject({ ...described('CN=asked,O=Example'), issuer: 'CN=Signer,O=Example,C=DE' })
      expect(await isRemoved()).toBe(true)
    })
  })

  it('has a backup made', async () => {
    const { bytes, status } = await client.call('POST', '/api/v1/configuration/backup', { password: 'long enough' })
    expect([status, bytes.subarray(0, 2).toString()]).toEqual([200, 'PK'])
  })
})
