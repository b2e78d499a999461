import { type AdminRequest, createDestinationAdminClient, type DestinationAdminClient } from '@sallyport/admin-api'
import { createTestCa } from '@sallyport/test-fixtures'
import { Agent, fetch as fetchWith } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { instanceId, providerSubaccount, type RunningService, startService } from './running-service.ts'

const ca = createTestCa()
let running: RunningService
let agent: Agent
let client: DestinationAdminClient

beforeAll(async () => {
  const { certificate, key } = ca.issue({ subject: '/CN=localhost' })
  running = await startService({ tls: { cert: certificate, key } })
  agent = new Agent({ connect: { ca: ca.certificate } })
  const request: AdminRequest = (url, init) => fetchWith(url, { ...init, dispatcher: agent })
  client = createDestinationAdminClient({ url: running.url, token: () => Promise.resolve(running.token()), request })
})
afterAll(async () => {
  await agent.close()
  await running.close()
})

describe('the admin client against the real service, through TLS of a private authority', () => {
  const erp = {
    Name: 'ERP',
    Type: 'HTTP',
    URL: 'http://erp.demo:8000',
    ProxyType: 'OnPremise',
    Authentication: 'BasicAuthentication',
    User: 'u',
    Password: 'p',
  }

  it('creates, reads, replaces, lists, finds and deletes', async () => {
    expect(await client.get('subaccount', 'ERP')).toBeUndefined()
    expect(await client.find('ERP')).toBeUndefined()
    expect(await client.set('subaccount', erp)).toBe('created')
    expect(await client.set('subaccount', { ...erp, User: 'v' })).toBe('replaced')
    expect(await client.get('subaccount', 'ERP')).toEqual({ ...erp, User: 'v' })
    expect(await client.set('instance', { Name: 'own', Type: 'TCP', Address: 'x:1' })).toBe('created')
    expect((await client.list('subaccount')).map((one) => one.Name)).toEqual(['ERP'])
    expect((await client.list('instance')).map((one) => one.Name)).toEqual(['own'])
    const found = await client.find('ERP')
    expect(found).toMatchObject({
      owner: { SubaccountId: providerSubaccount, InstanceId: null },
      authTokens: [{ type: 'Basic', value: 'djpw' }],
    })
    expect(await client.find('own')).toMatchObject({ owner: { InstanceId: instanceId } })
    const bare = await client.find('ERP', { skipTokenRetrieval: true, skipCredentials: true })
    expect(bare).not.toHaveProperty('authTokens')
    expect(bare).not.toHaveProperty('destinationConfiguration.Password')
    expect(await client.delete('subaccount', 'ERP')).toBe(true)
    expect(await client.delete('subaccount', 'ERP')).toBe(false)
  })

  it('passes on what the service says of a bad destination', async () => {
    await expect(client.set('subaccount', { Name: 'bad name', Type: 'HTTP' })).rejects.toMatchObject({
      code: 'DESTINATION_INVALID',
      message: expect.stringContaining('Property "Name" must have') as string,
    })
    const other = createDestinationAdminClient({
      url: running.url,
      token: () => Promise.resolve('not-a-jwt'),
      request: (url, init) => fetchWith(url, { ...init, dispatcher: agent }),
    })
    await expect(other.list('subaccount')).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
  })
})
