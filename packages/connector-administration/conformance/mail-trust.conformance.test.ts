import { X509Certificate } from 'node:crypto'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { mailSettingsOf } from '../src/index.ts'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const path = '/api/v1/configuration/connector/email/truststore'
const ca = createTestCa()
const [one = '', two = ''] = ['one', 'two'].map((name) => ca.issue({ subject: `/CN=${name}` }).certificate)

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
})
afterEach(() => bench[Symbol.asyncDispose]())

const upload = async (...parts: readonly Buffer[]): Promise<number> =>
  (
    await bench.upload(
      'POST',
      `${path}/certificates`,
      parts.map((part) => ['certificates', part]),
    )
  ).status
const trusted = (): readonly string[] => mailSettingsOf(bench.editor.document.reporting).trustStore

it('certificates of mail servers are uploaded, shown and removed, and trusted where mails are sent', async () => {
  expect((await bench.call('GET', path)).json()).toEqual({ trustedEmailCertificates: [] })
  expect((await bench.call('GET', `${path}/certificates`)).status).toBe(404)
  expect(await upload(Buffer.from(one), new X509Certificate(two).raw)).toBe(201)
  expect((await bench.call('GET', path)).json().trustedEmailCertificates).toEqual([
    {
      alias: 'trustedemailserver.0.0',
      subjectDN: 'CN=one',
      issuer: expect.stringContaining('CN='),
      notAfterTimeStamp: new X509Certificate(one).validToDate.getTime(),
    },
    expect.objectContaining({ alias: 'trustedemailserver.0.1', subjectDN: 'CN=two' }),
  ])
  const fingerprints = (texts: readonly string[]): readonly string[] => texts.map((text) => new X509Certificate(text).fingerprint256)
  expect(fingerprints(trusted())).toEqual(fingerprints([one, two]))
  const der = await bench.call('GET', `${path}/certificates/trustedemailserver.0.1`, undefined, {
    headers: { accept: 'application/pkix-cert' },
  })
  expect(der.bytes).toEqual(new X509Certificate(two).raw)
  expect((await bench.call('GET', `${path}/certificates`)).body.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  for (const status of [204, 404]) expect((await bench.call('DELETE', `${path}/certificates/trustedemailserver.0.0`)).status).toBe(status)
  expect(fingerprints(trusted())).toEqual(fingerprints([two]))
  expect((await bench.call('DELETE', `${path}/certificates`)).status).toBe(204)
  expect(trusted()).toEqual([])
})

it('what is trusted already, or is no certificate, changes nothing, and a change of the mail server keeps what is trusted', async () => {
  expect(await upload(Buffer.from(one))).toBe(201)
  for (const wrong of [[Buffer.from(one)], [Buffer.from('rubbish')], []]) expect(await upload(...wrong)).toBe(400)
  const mail = { enabled: false, smtpHost: 'mail.example' }
  expect((await bench.call('PUT', '/api/v1/configuration/connector/email', mail)).status).toBe(204)
  expect(trusted()).toHaveLength(1)
  expect(bench.audited.at(-2)).toMatchObject({ category: 'EMailConfiguration', message: expect.stringContaining('trustedemailserver.0.0') })
})
