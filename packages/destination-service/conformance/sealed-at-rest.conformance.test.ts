import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningService, startService } from './running-service.ts'

let running: RunningService
beforeAll(async () => {
  running = await startService()
})
afterAll(() => running.close())

/** Everything that the database has in files, with the parts that are not in the main file yet. */
function storedBytes(): string {
  const folder = dirname(running.file)
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file)).toString('latin1'))
    .join('\n')
}

/** Pieces by which a longer text would be recognised. */
function piecesOf(text: string): readonly string[] {
  return text.split(/\s+/).flatMap((line) => (line.length >= 16 && !line.startsWith('-----') ? [line.slice(0, 40)] : []))
}

async function create(path: string, body: object): Promise<void> {
  expect(await running.call('POST', path, { body })).toMatchObject({ status: 201 })
}

describe('the files of the database', () => {
  it('DS-138 hold no property of any entity and no key in clear text; names and labels may be there', async () => {
    const properties = {
      URL: 'https://sealed.example.com/url',
      User: 'sealed-user',
      Password: 'sealed-password',
      'URL.headers.x': 'sealed-header',
    }
    const destination = {
      Name: 'clear-destination',
      Type: 'HTTP',
      Authentication: 'BasicAuthentication',
      Description: 'sealed words',
      ...properties,
    }
    await create('/v1/subaccountDestinations', destination)
    await create('/v1/instanceDestinations', { ...destination, Name: 'clear-instance-destination', Description: 'sealed instance words' })
    await create('/v1/subaccountDestinationFragments', { FragmentName: 'clear-fragment', clientSecret: 'sealed-client-secret' })
    const ca = createTestCa()
    const uploaded = Buffer.from(ca.certificate + ca.key).toString('base64')
    await create('/v1/subaccountCertificates', { Name: 'clear.pem', Content: uploaded })
    const Attributes = { CN: 'sealed common name', Password: 'sealed key store password', AutomaticRenew: true }
    await create('/v1/subaccountCertificates', { Name: 'clear-generated.pem', Attributes })
    await create('/v1/subaccountCertificates', { Name: 'clear-open.pem', Attributes: {} })
    const labels = [{ key: 'clear-label', values: ['clear-value'] }]
    expect((await running.call('PUT', '/v1/subaccountDestinations/clear-destination/labels', { body: labels })).status).toBe(200)
    const trust = [
      await running.call('POST', '/v1/saml2Metadata/certificate'),
      await running.call('POST', '/v1/saml2Metadata/certificate/passive'),
    ]
    const signing = trust.map(({ json }) => (json as { readonly certificate: string }).certificate)

    const contentOf = async (name: string): Promise<string> =>
      ((await running.call('GET', `/v1/subaccountCertificates/${name}`)).json as { readonly Content: string }).Content
    const generated = await Promise.all(['clear-generated.pem', 'clear-open.pem'].map(contentOf))
    const decoded = generated.map((content) => Buffer.from(content, 'base64').toString())
    const secrets = [
      ...Object.values(properties),
      'sealed words',
      'sealed instance words',
      'sealed-client-secret',
      'BasicAuthentication',
      Attributes.CN,
      Attributes.Password,
      ...[uploaded, ...generated].map((content) => content.slice(0, 60)),
      ...[ca.certificate, ca.key, ...decoded, ...signing].flatMap(piecesOf),
      'PRIVATE KEY',
      'BEGIN CERTIFICATE',
    ]
    const stored = storedBytes()
    expect(secrets.length).toBeGreaterThan(100)
    expect(secrets.filter((secret) => stored.includes(secret))).toEqual([])
    for (const clear of ['clear-destination', 'clear-fragment', 'clear.pem', 'clear-label', 'clear-value']) expect(stored).toContain(clear)
  })
})
