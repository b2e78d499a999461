import { defaultKeyAgeMs } from '@sallyport/store'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answered, providerSubaccount, type RunningService, startService } from './running-service.ts'

const kms = { system: 'kms', key: 'acme-destinations' }
const neutral = { ErrorMessage: 'The request could not be completed because of an internal error' }
const destination = {
  Name: 'ERP',
  Type: 'HTTP',
  URL: 'https://erp.test',
  Authentication: 'BasicAuthentication',
  User: 'u',
  Password: 'p4ss',
}
const ca = createTestCa()

let running: RunningService
beforeEach(async () => {
  running = await startService()
  for (const [path, body] of [
    ['/v1/subaccountDestinations', destination],
    ['/v1/instanceDestinations', { ...destination, Name: 'INSTANCE' }],
    ['/v1/subaccountDestinationFragments', { FragmentName: 'F', URL: 'https://other.test' }],
    ['/v1/subaccountCertificates', { Name: 'ca.pem', Content: Buffer.from(ca.certificate).toString('base64') }],
  ] as const)
    await running.call('POST', path, { body })
  await running.call('POST', '/v1/saml2Metadata/certificate')
  await running.customerKeys.use(providerSubaccount, kms)
})
afterEach(() => running.close())

/** Everything that cannot be answered without opening something. */
const secretRequests: readonly (readonly [string, string, unknown?])[] = [
  ['GET', '/v1/destinations/ERP'],
  ['GET', '/v1/destinations/ERP?$skipTokenRetrieval=true'],
  ['GET', '/v2/destinations/ERP@subaccount'],
  ['GET', '/v2/destinations/INSTANCE@instance'],
  ['GET', '/v1/subaccountDestinations/ERP'],
  ['GET', '/v1/subaccountDestinations'],
  ['GET', '/v1/subaccountDestinations?$page=1'],
  ['GET', '/v1/instanceDestinations'],
  ['GET', '/v1/subaccountDestinationFragments/F'],
  ['GET', '/v1/subaccountCertificates/ca.pem'],
  ['GET', '/v1/saml2Metadata/certificate'],
  ['POST', '/v1/subaccountDestinations', { ...destination, Name: 'NEW' }],
  ['PUT', '/v1/subaccountDestinations', destination],
]
const statuses = async (): Promise<readonly number[]> =>
  Promise.all(secretRequests.map(async ([method, path, body]) => (await send(method, path, body)).status))
const send = (method: string, path: string, body?: unknown): Promise<Answered> =>
  running.call(method, path, body === undefined ? {} : { body })

describe('a subaccount with a key of its owner', () => {
  it('answers as ever, also what was found before', async () => {
    expect((await running.call('GET', '/v1/destinations/ERP')).json).toMatchObject({ destinationConfiguration: { Password: 'p4ss' } })
    expect((await running.call('GET', '/v1/subaccountDestinations/ERP')).json).toEqual(destination)
  })

  it('once the key is taken back answers the neutral 500 within the stated time, to everything that needs what is stored, and again when it is back', async () => {
    const before = await statuses()
    expect(before.every((status) => status < 300)).toBe(true)
    await running.call('DELETE', '/v1/subaccountDestinations/NEW')
    // So that it is remembered opened.
    expect((await running.call('GET', '/v1/destinations/ERP')).status).toBe(200)
    running.keySystem.revoke(kms.key)
    running.clock.advance(defaultKeyAgeMs)
    for (const [method, path, body] of secretRequests) {
      const answer = await send(method, path, body)
      expect({ path, status: answer.status, json: answer.json }).toEqual({ path, status: 500, json: neutral })
      expect([...answer.headers].join()).not.toMatch(/acme|kms/)
    }
    expect(running.logged.some((line) => line.includes('ENCRYPTION_KEY_UNAVAILABLE'))).toBe(true)
    expect(running.logged.join()).not.toMatch(/acme-destinations|secret-system-name|kms/)
    running.keySystem.restore(kms.key)
    running.clock.advance(5_000)
    expect(await statuses()).toEqual(before)
  })

  it('whose key is taken back still lists names, answers 404 to names that there are not, and lets entities be deleted', async () => {
    running.keySystem.revoke(kms.key)
    running.clock.advance(defaultKeyAgeMs)
    expect((await running.call('GET', '/v1/subaccountDestinations?$select=Name')).json).toEqual([{ Name: 'ERP' }])
    expect((await running.call('GET', '/v1/destinations/NONE')).status).toBe(404)
    expect((await running.call('DELETE', '/v1/subaccountDestinationFragments/F')).status).toBe(200)
  })

  it('whose key is taken back disturbs no other subaccount and no look at all certificates', async () => {
    const token = running.token({ subaccount: 'other' })
    await running.call('POST', '/v1/subaccountDestinations', { token, body: destination })
    const content = Buffer.from(ca.certificate).toString('base64')
    await running.call('POST', '/v1/subaccountCertificates', { token, body: { Name: 'other.pem', Content: content } })
    running.keySystem.revoke(kms.key)
    running.clock.advance(defaultKeyAgeMs)
    expect((await running.call('GET', '/v1/destinations/ERP', { token })).status).toBe(200)
    expect(await running.service.maintainCertificates()).toMatchObject({ failed: 1 })
    expect((await running.call('GET', '/health')).status).not.toBe(500)
  })

  it('is answered with 503 while its key management system does not answer', async () => {
    running.keySystem.down = true
    running.clock.advance(defaultKeyAgeMs)
    const answer = await running.call('GET', '/v1/destinations/ERP')
    expect(answer).toMatchObject({ status: 503, json: { ErrorMessage: 'The service is not available at the moment' } })
    running.keySystem.down = false
    running.clock.advance(5_000)
    expect((await running.call('GET', '/v1/destinations/ERP')).status).toBe(200)
  })
})
