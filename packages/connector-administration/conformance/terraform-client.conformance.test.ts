import { createManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'
import { createProviderClient, type ProviderClient } from './provider-client.ts'
import { region, type SmallCloud, startSmallCloud } from './small-cloud.ts'

/**
 * The calls of the Terraform provider for the original, in its order and with its members (github.com/SAP/terraform-provider-scc, as its recorded traffic shows
 * them): it sends Accept with everything, no cookie, texts for the truth values of resources, and expects 200, 201 or 204.
 */
let cloud: SmallCloud
let bench: AdministrationBench
beforeEach(async () => {
  const clock = createManualClock(Date.now())
  cloud = await startSmallCloud({ clock })
  bench = await startAdministrationBench({ haRole: 'master', clock })
  await bench.call('POST', '/api/private/v1/regions', { name: 'Self', host: region, url: cloud.url, authority: cloud.authority })
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await cloud[Symbol.asyncDispose]()
})

const subaccounts = '/api/v1/configuration/subaccounts'
const demo = `${subaccounts}/${region}/demo`
const ok: ProviderClient['ok'] = (...words) => createProviderClient(bench).ok(...words)
const call: ProviderClient['call'] = (...words) => createProviderClient(bench).call(...words)
const createSubaccount = () =>
  ok('POST', subaccounts, {
    cloudPassword: 'secret',
    cloudUser: 'admin',
    description: 'made by a client',
    displayName: '',
    locationID: '',
    regionHost: region,
    subaccount: 'demo',
  })

describe('a client that works like the Terraform provider', () => {
  it('creates, refreshes, updates, disconnects, imports and destroys a subaccount', async () => {
    expect(await ok('GET', '/api/v1/connector/version')).toEqual({ version: expect.any(String) })
    const created = await createSubaccount()
    expect(created).toMatchObject({
      displayName: 'demo',
      autoCertRenewal: false,
      isManaged: false,
      tunnel: { state: 'Connected', user: 'admin' },
    })
    await ok('POST', `${demo}/trust`)
    await ok('PUT', `${demo}/trust`, { autoSyncTrustEnabled: false })
    expect(await ok('GET', demo)).toEqual(created)
    const update = { description: 'changed', displayName: '', locationID: '' }
    expect(await ok('PUT', demo, update)).toMatchObject({ description: 'changed', displayName: 'demo' })
    await ok('PUT', `${demo}/state`, { connected: false })
    expect(await ok('GET', demo)).toMatchObject({ tunnel: { state: 'Disconnected', connectedSinceTimeStamp: 0, connections: 0 } })
    expect(await ok('GET', subaccounts)).toMatchObject([{ regionHost: region, subaccount: 'demo', locationID: '' }])
    await ok('DELETE', demo)
    expect((await call('GET', demo)).json().message).toBe(`Subaccount with value 'demo@${region}' does not exist`)
  })

  it('does the same with authentication data', async () => {
    const authenticationData = await cloud.authenticationData('demo')
    const created = await ok('POST', subaccounts, { authenticationData, description: 'Initial', displayName: 'Name', locationID: '' })
    expect(created).toMatchObject({ regionHost: region, subaccount: 'demo', displayName: 'Name', tunnel: { state: 'Connected' } })
    expect(await ok('PUT', demo, { description: 'Updated', displayName: 'Other', locationID: '' })).toMatchObject({ displayName: 'Other' })
    await ok('DELETE', demo)
  })

  it('creates, replaces, lists and destroys mappings, resources and cookie domains', async () => {
    await createSubaccount()
    const mapping = {
      authenticationMode: 'KERBEROS',
      backendType: 'abapSys',
      hostInHeader: 'VIRTUAL',
      localHost: 'local',
      localPort: '900',
      protocol: 'HTTP',
      virtualHost: 'virtual',
      virtualPort: '900',
    }
    const one = `${demo}/systemMappings/virtual:900`
    expect(await ok('POST', `${demo}/systemMappings`, mapping)).toBeUndefined()
    const { creationDate, ...read } = await ok('GET', one)
    expect(creationDate).toMatch(/^\d{13}$/)
    expect(read).toEqual({
      ...mapping,
      totalResourcesCount: 0,
      enabledResourcesCount: 0,
      allowedClients: [],
      blacklistedUsers: [],
      _links: { self: { href: expect.any(String) }, resources: { href: expect.any(String) } },
    })
    const changed = {
      ...mapping,
      authenticationMode: 'X509_GENERAL',
      backendType: 'hana',
      hostInHeader: 'INTERNAL',
      localPort: '905',
      protocol: 'HTTPS',
    }
    await ok('PUT', one, changed)
    expect(await ok('GET', one)).toMatchObject({ ...changed, creationDate })

    const resource = { description: 'made', enabled: 'true', exactMatchOnly: 'false', id: '/', websocketUpgradeAllowed: 'false' }
    await ok('POST', `${one}/resources`, resource)
    expect(await ok('GET', `${one}/resources/-`)).toMatchObject({
      id: '/',
      enabled: true,
      exactMatchOnly: false,
      creationDate: expect.any(String),
    })
    await ok('PUT', `${one}/resources/-`, {
      description: 'changed',
      enabled: 'false',
      exactMatchOnly: 'false',
      websocketUpgradeAllowed: 'false',
    })
    expect(await ok('GET', `${one}/resources`)).toMatchObject([{ id: '/', enabled: false, description: 'changed' }])
    await ok('DELETE', `${one}/resources/-`)
    await ok('DELETE', one)

    const domains = `${demo}/domainMappings`
    await ok('POST', domains, { internalDomain: 'inside', virtualDomain: 'outside' })
    await ok('PUT', `${domains}/inside`, { internalDomain: 'inside', virtualDomain: 'elsewhere' })
    expect(await ok('GET', domains)).toEqual([
      { virtualDomain: 'elsewhere', internalDomain: 'inside', _links: { self: { href: expect.any(String) } } },
    ])
    await ok('DELETE', `${domains}/inside`)
    expect([await ok('GET', domains), await ok('GET', `${demo}/systemMappings`)]).toEqual([[], []])
  })

  it.each([
    ['K8S', { k8sCluster: 'cluster.example', k8sService: 'service-one', port: '3000' }, { port: 3000 }],
    ['ABAPCloud', { abapCloudTenantHost: 'tenant.abap.example', instanceNumber: '20' }, { instanceNumber: 20, port: 3320 }],
    ['ABAPCloudSNC', { abapCloudTenantHost: 'tenant.abap.example', instanceNumber: '21' }, { instanceNumber: 21, port: 4821 }],
  ] as const)('creates a %s channel, finds its number in the list, changes, disables and destroys it', async (type, sent, read) => {
    await createSubaccount()
    const channels = `${demo}/channels/${type}`
    expect(await ok('POST', channels, { ...sent, connections: '1', comment: 'made' })).toBeUndefined()
    const [{ id }] = await ok('GET', channels)
    const one = `${channels}/${id}`
    const links = { self: { href: expect.any(String) }, state: { href: expect.any(String) } }
    const shown = { ...sent, ...read, id, type, enabled: false, connections: 1, comment: 'made', _links: links }
    expect([await ok('GET', channels), await ok('GET', one)]).toEqual([[shown], shown])
    await ok('PUT', one, { ...sent, connections: '2', comment: 'changed' })
    await ok('PUT', `${one}/state`, { enabled: 'false' })
    expect(await ok('GET', one)).toEqual({ ...shown, connections: 2, comment: 'changed' })
    await ok('DELETE', one)
    expect(await ok('GET', channels)).toEqual([])
  })
})
