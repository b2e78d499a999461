import { generateKeyPairSync } from 'node:crypto'
import { writeJks, writePem, writePkcs12 } from '@sallyport/keystore'
import { createTestCa } from '@sallyport/test-fixtures'
import { createCertificationRequest, formatPem, parseName } from '@sallyport/x509'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningService, startService } from '../conformance/running-service.ts'

const collection = '/v1/subaccountCertificates'
const password = 'secret1'
const samples: Buffer[] = []
let secretLines: readonly string[] = []
let running: RunningService

beforeAll(async () => {
  running = await startService({ perSubaccount: 100_000 })
  const ca = createTestCa()
  const client = ca.issue({ subject: '/CN=client' })
  const entry = { alias: 'c', certificates: [client.certificate, ca.certificate], privateKey: client.key, password }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const request = formatPem('CERTIFICATE REQUEST', createCertificationRequest(parseName('CN=x'), privateKey, publicKey))
  const open = { ...entry, password: '' }
  samples.push(Buffer.from(client.certificate + client.key + ca.certificate), Buffer.from(writePem(entry)), Buffer.from(request))
  samples.push(await writePkcs12(entry), await writePkcs12(open), writeJks(entry, 0), writeJks(open, 0))
  secretLines = client.key.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'))
})
afterAll(() => running.close())

const place = fc.double({ min: 0, max: 0.999, noNaN: true })
const mutatedOf = (which: fc.Arbitrary<number>): fc.Arbitrary<Buffer> =>
  fc.tuple(which, fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 3 }), fc.option(place, { freq: 3 })).map(([index, edits, cut]) => {
    const sample = samples[index] ?? Buffer.alloc(0)
    const bytes = Buffer.from(cut === null ? sample : sample.subarray(0, Math.floor(sample.length * cut)))
    for (const [at, value] of edits) bytes[Math.floor(bytes.length * at)] = value
    return bytes
  })
const begun = fc
  .tuple(fc.constantFrom('', '3082', '30820400020103', 'feedfeed00000002'), fc.uint8Array({ maxLength: 200 }))
  .map(([begin, rest]) => Buffer.concat([Buffer.from(begin, 'hex'), rest]))
const extension = fc.constantFrom('pem', 'crt', 'cer', 'der', 'p12', 'pfx', 'jks', 'PEM', 'txt')
const content = fc.oneof({ weight: 4, arbitrary: mutatedOf(fc.nat(6)) }, begun).map((bytes) => bytes.toString('base64'))
const attributes = fc.record(
  {
    CN: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
    Validity: fc.oneof(
      fc.record({ TimeUnit: fc.constantFrom('DAYS', 'MONTHS', 'YEARS', 'x'), Value: fc.oneof(fc.integer(), fc.double()) }),
      fc.jsonValue(),
    ),
    AutomaticRenew: fc.jsonValue(),
    Password: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
    CSR: fc.oneof(content, fc.jsonValue()),
  },
  // Without a request a key would be made for each.
  { requiredKeys: ['CSR'] },
)
const name = extension.map((ext) => `${serial++}.${ext}`)
let serial = 0
/** Under a name that fits what it was, so that more of it is looked at. */
const named = (which: fc.Arbitrary<number>, ext: string): fc.Arbitrary<unknown> =>
  mutatedOf(which).map((bytes) => ({ Name: `${serial++}.${ext}`, Content: bytes.toString('base64') }))
const uploads = fc.oneof(
  { weight: 4, arbitrary: fc.record({ Name: name, Content: content }) },
  { weight: 2, arbitrary: named(fc.nat(1), 'pem') },
  { weight: 2, arbitrary: named(fc.constantFrom(3, 4), 'p12') },
  { weight: 2, arbitrary: named(fc.constantFrom(5, 6), 'jks') },
  { weight: 1, arbitrary: fc.jsonValue() },
)
const generations = fc.record({ Name: name, Attributes: attributes })

interface ItemResult {
  readonly name: string
  readonly status: number
  readonly cause?: string
}

/** Sends generated items in bulk; returns the names that were kept and how many were refused, after a look at every answer. */
async function send(items: readonly unknown[]): Promise<{ readonly kept: readonly string[]; readonly refused: number }> {
  const begin = performance.now()
  const answer = await running.call('POST', collection, { body: items })
  expect(performance.now() - begin).toBeLessThan(15_000)
  expect([201, 207]).toContain(answer.status)
  const results = answer.json as readonly ItemResult[]
  expect(results.filter(({ status }) => status !== 201 && status !== 400)).toEqual([])
  expect(secretLines.filter((line) => answer.text.includes(line))).toEqual([])
  const kept = results.filter(({ status }) => status === 201)
  return { kept: kept.map((result) => result.name), refused: results.length - kept.length }
}

describe('certificates of strangers', () => {
  it('are kept or refused one by one: never an error of ours, nor a word about keys in what is said or logged', async () => {
    const kept: string[] = []
    let refused = 0
    const batches = [
      fc.sample(fc.array(uploads, { minLength: 50, maxLength: 50 }), 60),
      fc.sample(fc.array(generations, { minLength: 10, maxLength: 10 }), 60),
    ]
    for (const items of batches.flat()) {
      const outcome = await send(items)
      kept.push(...outcome.kept)
      refused += outcome.refused
    }
    expect(kept.length + refused).toBe(3_600)
    expect(refused).toBeGreaterThan(500)
    expect(kept.length).toBeGreaterThan(300)

    for (const stored of kept) {
      const answer = await running.call('GET', `${collection}/${encodeURIComponent(stored)}/publicKeys`)
      expect([200, 400]).toContain(answer.status)
      expect(secretLines.filter((line) => answer.text.includes(line))).toEqual([])
    }
    expect((await running.service.maintainCertificates()).failed).toBe(0)
    const logged = running.logged.join('\n')
    expect(secretLines.filter((line) => logged.includes(line))).toEqual([])
    expect(logged).not.toContain('"level":"error"')
  }, 120_000)

  it('that are key stores of destinations fail the destination, not the service', async () => {
    const cases = samples.flatMap((sample, index) => [
      { Name: `use-${index}.p12`, Content: sample },
      { Name: `use-${index}.jks`, Content: Buffer.concat([sample.subarray(0, 300), Buffer.alloc(40, 7), sample.subarray(340)]) },
      { Name: `use-${index}.pem`, Content: sample },
    ])
    for (const { Name, Content } of cases) {
      await running.call('POST', collection, { body: { Name, Content: Content.toString('base64') } })
      const destination = {
        Name: 'd',
        Type: 'HTTP',
        URL: 'https://x.example.com',
        ProxyType: 'Internet',
        Authentication: 'OAuth2ClientCredentials',
        tokenServiceURL: 'https://127.0.0.1:1/token',
        clientId: 'c',
        'tokenService.KeyStoreLocation': Name,
        'tokenService.KeyStorePassword': 'wrong',
      }
      await running.call('POST', '/v1/subaccountDestinations', { body: destination })
      await running.call('PUT', '/v1/subaccountDestinations', { body: destination })
      const answer = await running.call('GET', '/v1/destinations/d')
      expect(answer.status).toBe(200)
      const [token] = (answer.json as { readonly authTokens: readonly { readonly error?: string }[] }).authTokens
      expect(token?.error).toBeTruthy()
      expect(secretLines.some((line) => token?.error?.includes(line))).toBe(false)
    }
  })

  it('do not keep others waiting while keys are made', async () => {
    const many = Array.from({ length: 5 }, (_, index) => ({ Name: `slow-${index}.pem`, Attributes: {} }))
    let done = false
    const making = running.call('POST', collection, { body: many }).finally(() => (done = true))
    const begin = performance.now()
    expect((await running.call('GET', `${collection}?$select=Name`)).status).toBe(200)
    expect(performance.now() - begin).toBeLessThan(2_000)
    expect(done).toBe(false)
    expect((await making).status).toBe(201)
  })
})
