import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { providerSubaccount, type RunningService, startService } from './running-service.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

let running: RunningService
let tokenServer: TokenServer
beforeEach(async () => {
  tokenServer = await startTokenServer()
  running = await startService()
})
afterEach(async () => {
  await running.close()
  await tokenServer.close()
})

const collection = '/v1/subaccountDestinations'
const http = (Name: string, extra: Record<string, string> = {}) => ({ Name, Type: 'HTTP', URL: 'http://x', ...extra })
const oauth = (Name: string, extra: Record<string, string> = {}) =>
  http(Name, {
    ProxyType: 'Internet',
    Authentication: 'OAuth2ClientCredentials',
    clientId: 'orders',
    clientSecret: 's&cret',
    tokenServiceURL: tokenServer.url,
    ...extra,
  })

async function store(destination: Record<string, string>): Promise<void> {
  expect((await running.call('POST', collection, { body: destination })).status).toBe(201)
}

async function find(name: string, query = '', headers: Readonly<Record<string, string>> = {}): Promise<Found> {
  const { status, json } = await running.call('GET', `/v1/destinations/${name}${query}`, { headers })
  expect(status).toBe(200)
  return json as Found
}

interface Found {
  readonly owner: unknown
  readonly destinationConfiguration: Readonly<Record<string, string>>
  readonly authTokens?: readonly Readonly<Record<string, unknown>>[]
}

describe('what find returns', () => {
  it('DS-050 CL-090 skips tokens on request: owner and configuration, no authTokens, no call to anybody', async () => {
    await store(oauth('d'))
    const found = await find('d', '?$skipTokenRetrieval=true')
    expect(found).toEqual({ owner: { SubaccountId: providerSubaccount, InstanceId: null }, destinationConfiguration: oauth('d') })
    expect((await running.call('GET', '/v2/destinations/d@subaccount?$skipTokenRetrieval=true')).json).toEqual({
      destinationConfiguration: oauth('d'),
    })
    expect(tokenServer.calls).toEqual([])
  })

  it('DS-052 strips credentials on request and still fetches the token', async () => {
    const secrets = { Password: 'a', tokenServicePassword: 'b', KeyStorePassword: 'c', TrustStorePassword: 'd', 'mail.password': 'e' }
    await store(oauth('d', { ...secrets, User: 'u', tokenServiceUser: 'tu' }))
    const { destinationConfiguration, authTokens } = await find('d', '?$skipCredentials=true')
    expect(destinationConfiguration).toMatchObject({ clientId: 'orders', User: 'u', tokenServiceUser: 'tu' })
    for (const key of [...Object.keys(secrets), 'clientSecret']) expect(destinationConfiguration).not.toHaveProperty([key])
    expect(authTokens).toMatchObject([{ type: 'Bearer', value: 'token-1' }])
    expect(tokenServer.calls[0]?.form.get('client_secret')).toBe('s&cret')
  })

  it('refuses switches that are neither true nor false, rather than handing out what was not wanted', async () => {
    await store(http('d', { Password: 'p4ss' }))
    for (const query of [
      '$skipCredentials=yes',
      '$skipCredentials',
      '$skipTokenRetrieval=1',
      '$skipCredentials=true&$skipCredentials=false',
    ]) {
      const { status, text } = await running.call('GET', `/v1/destinations/d?${query}`)
      expect(status).toBe(400)
      expect(text).not.toContain('p4ss')
    }
  })

  it('CL-107 always shows Authentication and ProxyType of an HTTP destination, and no empty location ID', async () => {
    await store(http('d', { CloudConnectorLocationId: '' }))
    expect((await find('d')).destinationConfiguration).toEqual(http('d', { ProxyType: 'Internet', Authentication: 'NoAuthentication' }))
    await store({ Name: 'r', Type: 'RFC' })
    expect((await find('r')).destinationConfiguration).toEqual({ Name: 'r', Type: 'RFC' })
  })

  it('CL-095 matches header names in any letter case', async () => {
    await store(oauth('d', { tokenServiceURLType: 'Common', tokenServiceURL: `http://127.0.0.1:${tokenServer.port}/{tenant}/token` }))
    for (const [index, name] of ['X-TENANT', 'x-tenant', 'X-Tenant'].entries()) {
      await find('d', '', { [name]: `acme${index}` })
      expect(tokenServer.calls[index]?.url).toBe(`/acme${index}/token`)
    }
  })
})

describe('authentication types', () => {
  it('DS-053 NoAuthentication yields neither tokens nor certificates', async () => {
    await store(http('d', { Authentication: 'NoAuthentication' }))
    const found = await find('d')
    expect(Object.keys(found).toSorted()).toEqual(['destinationConfiguration', 'owner'])
  })

  it('DS-086 CL-100 CL-101 BasicAuthentication yields the header ready to send, without a call and without expiry', async () => {
    await store(http('d', { Authentication: 'BasicAuthentication', User: 'jürgen', Password: 'p:w€', tokenServiceURL: tokenServer.url }))
    const value = Buffer.from('jürgen:p:w€', 'utf8').toString('base64')
    const { authTokens } = await find('d')
    expect(authTokens).toEqual([{ type: 'Basic', value, http_header: { key: 'Authorization', value: `Basic ${value}` } }])
    expect(tokenServer.calls).toEqual([])
  })

  it('DS-088 ClientCertificateAuthentication with the application’s own key store needs nothing from the service', async () => {
    await store(http('d', { Authentication: 'ClientCertificateAuthentication', 'KeyStore.Source': 'ClientProvided' }))
    expect(Object.keys(await find('d')).toSorted()).toEqual(['destinationConfiguration', 'owner'])
  })

  it('DS-089 PrincipalPropagation yields no token and goes with OnPremise only', async () => {
    await store(http('d', { Authentication: 'PrincipalPropagation', ProxyType: 'OnPremise' }))
    expect(Object.keys(await find('d')).toSorted()).toEqual(['destinationConfiguration', 'owner'])
    const internet = http('e', { Authentication: 'PrincipalPropagation', ProxyType: 'Internet' })
    expect((await running.call('POST', collection, { body: internet })).status).toBe(400)
  })

  it('DS-108 OAuth2TechnicalUserPropagation fetches over the Internet and names the header for the connector', async () => {
    await store(oauth('d', { Authentication: 'OAuth2TechnicalUserPropagation', ProxyType: 'OnPremise' }))
    expect((await find('d')).authTokens).toEqual([
      {
        type: 'Bearer',
        value: 'token-1',
        http_header: { key: 'SAP-Connectivity-Technical-Authentication', value: 'Bearer token-1' },
        expires_in: '43199',
        scope: 'orders.read',
      },
    ])
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('DS-110 runs OAuth for MAIL, and never for RFC, LDAP and TCP', async () => {
    await store({ ...oauth('mail'), Type: 'MAIL', 'mail.user': 'u' })
    expect((await find('mail')).authTokens).toMatchObject([{ type: 'Bearer', value: 'token-1' }])
    expect(tokenServer.calls).toHaveLength(1)
    for (const Type of ['RFC', 'LDAP', 'TCP']) {
      await store({ ...oauth(Type), Type })
      expect(await find(Type)).not.toHaveProperty('authTokens')
    }
    await store({ Name: 'basic-mail', Type: 'MAIL', Authentication: 'BasicAuthentication', 'mail.user': 'u', 'mail.password': 'p' })
    expect(await find('basic-mail')).not.toHaveProperty('authTokens')
    expect(tokenServer.calls).toHaveLength(1)
  })

  it.each([
    ['SAPAssertionSSO', 'Authentication type SAPAssertionSSO is not supported'],
    ['Telepathy', 'Unsupported authentication type'],
  ])('stores %s and says on find that it is not carried out', async (Authentication, error) => {
    await store(oauth('d', { Authentication }))
    expect((await find('d')).authTokens).toEqual([{ type: '', value: '', error, expires_in: '' }])
    expect(await find('d', '?$skipTokenRetrieval=true')).not.toHaveProperty('authTokens')
    expect(tokenServer.calls).toEqual([])
  })
})

describe('headers that contradict each other', () => {
  const bad = { status: 400, json: { ErrorMessage: expect.any(String) as string } }

  it('DS-063 refuses a tenant beside a user token that names one', async () => {
    await store(oauth('d', { tokenServiceURLType: 'Common' }))
    const userToken = running.issuer.user('jane', { ext_attr: { zdn: 'acme' } })
    expect(await running.call('GET', '/v1/destinations/d', { headers: { 'x-tenant': 'acme', 'x-user-token': userToken } })).toMatchObject(
      bad,
    )
    expect(tokenServer.calls).toEqual([])
  })

  it('takes the tenant beside a user token that names none', async () => {
    await store(oauth('d', { tokenServiceURLType: 'Common', tokenServiceURL: `http://127.0.0.1:${tokenServer.port}/{tenant}/token` }))
    const userToken = running.issuer.user('jane', { zid: undefined, ext_attr: undefined })
    await find('d', '', { 'x-tenant': 'acme', 'x-user-token': userToken })
    expect(tokenServer.calls[0]?.url).toBe('/acme/token')
  })

  it.each([
    ['a half assertion', { 'x-client-assertion': 'a' }],
    ['a half assertion', { 'x-client-assertion-type': 'a' }],
    ['a fragment flag that is none', { 'x-fragment-optional': 'perhaps' }],
    ['a tenant that is no subdomain', { 'x-tenant': 'a.evil.example/' }],
  ])('refuses %s', async (_what, headers) => {
    await store(http('d'))
    expect(await running.call('GET', '/v1/destinations/d', { headers })).toMatchObject(bad)
  })

  it('refuses an assertion beside the destination that should make one, with the known text', async () => {
    await store(http('d'))
    const headers = { 'x-client-assertion': 'a', 'x-client-assertion-type': 't', 'x-client-assertion-destination-name': 'p' }
    expect(await running.call('GET', '/v1/destinations/d', { headers })).toMatchObject({
      status: 400,
      json: {
        ErrorMessage:
          "Cannot mix header 'x-client-assertion-destination-name' with headers 'x-client-assertion' and 'x-client-assertion-type'",
      },
    })
  })
})
