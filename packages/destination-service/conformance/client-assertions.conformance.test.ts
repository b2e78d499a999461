import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOutgoing } from '../src/index.ts'
import { entryOf, failed, find, store } from './look-up.ts'
import { type RunningService, startService } from './running-service.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

const jwtType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const samlType = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'
const outgoing = createOutgoing({ privateAddresses: 'allow', resolve: async () => [{ address: '127.0.0.1', family: 4 }] })

let running: RunningService
let tokenServer: TokenServer
beforeEach(async () => {
  tokenServer = await startTokenServer()
  let serial = 0
  tokenServer.answer((call, response) => {
    const of = new URL(call.url, 'http://x').searchParams.get('of')
    response.writeHead(200).end(JSON.stringify({ access_token: `${of}-${++serial}`, token_type: 'bearer', expires_in: 600 }))
  })
  running = await startService({ outgoing })
})
afterEach(async () => {
  await running.close()
  await tokenServer.close()
})

const oauth = (Name: string, more: Record<string, string> = {}): Record<string, string> => ({
  Name,
  Type: 'HTTP',
  URL: 'http://x',
  ProxyType: 'Internet',
  Authentication: 'OAuth2ClientCredentials',
  clientId: `client-of-${Name}`,
  tokenServiceURL: `${tokenServer.url}?of=${Name}`,
  ...more,
})
const formOf = (index: number): Record<string, string> => Object.fromEntries(tokenServer.calls[index]?.form ?? [])

/** Every type that may use an assertion, with what else it needs. */
const users: readonly (readonly [string, Record<string, string>, Record<string, string>])[] = [
  ['OAuth2ClientCredentials', {}, {}],
  ['OAuth2Password', { User: 'u', Password: 'p' }, {}],
  ['OAuth2AuthorizationCode', {}, { 'x-code': 'c' }],
  ['OAuth2TechnicalUserPropagation', { ProxyType: 'OnPremise' }, {}],
  ['OAuth2TokenExchange', {}, { 'x-subject-token': 's', 'x-subject-token-type': 't' }],
]

describe('an assertion that the caller sends', () => {
  it.each(users)('DS-129 takes the place of the secret for %s', async (Authentication, more, headers) => {
    await store(
      running,
      oauth('d', { Authentication, clientSecret: 'secret', tokenServiceUser: 'tu', tokenServicePassword: 'tp', ...more }),
    )
    const assertion = { 'x-client-assertion': 'a.b.c', 'x-client-assertion-type': samlType }
    expect(await entryOf(running, { ...headers, ...assertion })).toMatchObject({ type: 'Bearer', value: 'd-1' })
    expect(formOf(0)).toMatchObject({ client_id: 'client-of-d', client_assertion: 'a.b.c', client_assertion_type: samlType })
    expect(formOf(0)).not.toHaveProperty('client_secret')
    expect(tokenServer.calls[0]?.headers).not.toHaveProperty('authorization')
  })

  it('overrides the provider of the property', async () => {
    await store(running, oauth('provider', { 'clientAssertion.type': jwtType }))
    await store(running, oauth('d', { 'clientAssertion.destinationName': 'provider' }))
    await find(running, { 'x-client-assertion': 'a.b.c', 'x-client-assertion-type': jwtType })
    expect(tokenServer.calls).toHaveLength(1)
    expect(formOf(0)['client_assertion']).toBe('a.b.c')
  })

  it('is not shared between callers with different ones', async () => {
    await store(running, oauth('d'))
    const values = []
    for (const value of ['a', 'b', 'a']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      values.push((await entryOf(running, { 'x-client-assertion': value, 'x-client-assertion-type': jwtType })).value)
    }
    expect(values).toEqual(['d-1', 'd-2', 'd-1'])
  })
})

describe('an assertion that another destination makes', () => {
  it.each(users)('DS-130 is fetched first, named by property or header, the header wins, for %s', async (Authentication, more, headers) => {
    await store(running, oauth('by-property', { clientSecret: 'ps', 'clientAssertion.type': jwtType }))
    await store(running, oauth('by-header', { clientSecret: 'hs', 'clientAssertion.type': samlType }))
    await store(running, oauth('d', { Authentication, clientSecret: 'secret', ...more, 'clientAssertion.destinationName': 'by-property' }))
    expect(await entryOf(running, headers)).toMatchObject({ type: 'Bearer', value: 'd-2' })
    expect(formOf(0)).toEqual({ grant_type: 'client_credentials', client_id: 'client-of-by-property', client_secret: 'ps' })
    expect(formOf(1)).toMatchObject({ client_id: 'client-of-d', client_assertion: 'by-property-1', client_assertion_type: jwtType })
    expect(formOf(1)).not.toHaveProperty('client_secret')
    await find(running, { ...headers, 'x-client-assertion-destination-name': 'by-header' })
    expect(formOf(2)).toMatchObject({ client_id: 'client-of-by-header' })
    expect(formOf(3)).toMatchObject({ client_assertion: 'by-header-3', client_assertion_type: samlType })
    const mixed = {
      ...headers,
      'x-client-assertion-destination-name': 'by-header',
      'x-client-assertion': 'a',
      'x-client-assertion-type': jwtType,
    }
    expect(await running.call('GET', '/v1/destinations/d', { headers: mixed })).toMatchObject({
      status: 400,
      json: {
        ErrorMessage:
          "Cannot mix header 'x-client-assertion-destination-name' with headers 'x-client-assertion' and 'x-client-assertion-type'",
      },
    })
  })

  it.each([
    ['is not there', undefined, 'was not found'],
    [
      'is of another type',
      { Authentication: 'OAuth2Password', 'clientAssertion.type': jwtType },
      'Authentication is not OAuth2ClientCredentials',
    ],
    ['says nothing about the kind', {}, 'clientAssertion.type'],
    ['names a kind that does not exist', { 'clientAssertion.type': 'jwt' }, 'clientAssertion.type'],
    ['needs one itself', { 'clientAssertion.type': jwtType, 'clientAssertion.destinationName': 'd' }, 'uses an assertion provider itself'],
  ])('cannot be had when the provider %s', async (_what, provider: Record<string, string> | undefined, text) => {
    if (provider !== undefined) await store(running, oauth('provider', provider))
    await store(running, oauth('d', { 'clientAssertion.destinationName': 'provider' }))
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining(text)))
    expect(tokenServer.calls).toEqual([])
  })

  it('is looked for on the level of the destination only', async () => {
    const provider = oauth('provider', { 'clientAssertion.type': jwtType })
    expect((await running.call('POST', '/v1/instanceDestinations', { body: provider })).status).toBe(201)
    await store(running, oauth('d', { 'clientAssertion.destinationName': 'provider' }))
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining('was not found')))
  })

  it('says what the provider’s token service answered', async () => {
    await store(running, oauth('provider', { clientSecret: 'top-secret-1', 'clientAssertion.type': jwtType }))
    await store(running, oauth('d', { 'clientAssertion.destinationName': 'provider' }))
    tokenServer.answer((_call, response) => response.writeHead(401).end('no, not with top-secret-1'))
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining('no, not with [redacted]')))
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('is for the tenant of the caller only where the provider’s token service has tenants', async () => {
    await store(running, oauth('provider', { 'clientAssertion.type': jwtType }))
    const url = `http://auth.test:${tokenServer.port}/token?of=d`
    await store(running, oauth('d', { 'clientAssertion.destinationName': 'provider', tokenServiceURLType: 'Common', tokenServiceURL: url }))
    expect(await entryOf(running, { 'x-tenant': 'acme' })).toMatchObject({ type: 'Bearer' })
    expect(tokenServer.calls.map((call) => call.host)).toEqual([`127.0.0.1:${tokenServer.port}`, `acme.auth.test:${tokenServer.port}`])
  })
})
