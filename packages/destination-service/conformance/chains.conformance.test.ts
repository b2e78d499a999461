import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningService, startService } from './running-service.ts'
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

async function store(properties: Record<string, string>, level = 'subaccount', kind = 'Destinations'): Promise<void> {
  const { status } = await running.call('POST', `/v1/${level}${kind}`, { body: properties })
  expect(status).toBe(201)
}

const oauth = (Name: string, Authentication: string, more: Record<string, string> = {}): Record<string, string> => ({
  Name,
  Type: 'HTTP',
  URL: 'http://x',
  ProxyType: 'Internet',
  Authentication,
  clientId: `client-of-${Name}`,
  clientSecret: 's',
  tokenServiceURL: `${tokenServer.url}?of=${Name}`,
  ...more,
})

const versions = ['/v1/destinations/last', '/v2/destinations/last@subaccount']
const formOf = (index: number): Record<string, string> => Object.fromEntries(tokenServer.calls[index]?.form ?? [])

async function find(
  path: string,
  headers: Record<string, string>,
): Promise<{ readonly authTokens?: readonly { readonly error?: string }[] }> {
  const { status, json } = await running.call('GET', path, { headers })
  expect(status).toBe(200)
  return json as never
}

describe('sequential user propagation', () => {
  const chain = {
    'X-Chain-Name': 'com.sap.sequentialUserPropagation',
    'X-Chain-Var-TokenTransformationDestinationName': 'first',
  }
  let transformed: string
  beforeEach(() => {
    transformed = running.issuer.user('jane-transformed')
    let serial = 0
    tokenServer.answer((call, response) => {
      const value = call.url.endsWith('of=first') ? transformed : `last-${++serial}`
      response.writeHead(200).end(JSON.stringify({ access_token: value, token_type: 'bearer', expires_in: 600 }))
    })
  })

  it('DS-061 DS-127 hands the first destination’s token to the second as its user token, on v1 and v2, and returns the last token only', async () => {
    await store(oauth('first', 'OAuth2JWTBearer'))
    await store(oauth('last', 'OAuth2JWTBearer'))
    for (const [round, path] of versions.entries()) {
      const jane = running.issuer.user(`jane-${round}`)
      const found = await find(path, { ...chain, 'x-chain-var-USERTOKEN': jane })
      expect(found).toMatchObject({ destinationConfiguration: { Name: 'last' }, authTokens: [{ type: 'Bearer', value: 'last-1' }] })
      expect(JSON.stringify(found)).not.toContain(transformed)
      // The second round knows the last token already: the same user token leads to it.
      expect(formOf(2 * round)).toMatchObject({ assertion: jane, client_id: 'client-of-first' })
      expect(formOf(1)).toMatchObject({ assertion: transformed, client_id: 'client-of-last' })
      tokenServer.calls.splice(2)
    }
  })

  it('lets the chain’s token win over the caller’s', async () => {
    await store(oauth('first', 'OAuth2JWTBearer'))
    await store(oauth('last', 'OAuth2JWTBearer'))
    await find(versions[0] ?? '', {
      ...chain,
      'x-chain-var-userToken': running.issuer.user('jane'),
      'x-user-token': running.issuer.user('joe'),
    })
    expect(formOf(1)['assertion']).toBe(transformed)
  })

  it('looks the first destination up as find does, with fragments of its own beside those of the last', async () => {
    await store(oauth('first', 'OAuth2JWTBearer', { clientId: 'of-the-subaccount' }))
    await store(oauth('first', 'OAuth2JWTBearer', { clientId: 'of-the-instance' }), 'instance')
    await store({ FragmentName: 'f', scope: 'of-the-first' }, 'instance', 'DestinationFragments')
    await store(oauth('last', 'OAuth2JWTBearer'))
    await store({ FragmentName: 'f', scope: 'of-the-last' }, 'subaccount', 'DestinationFragments')
    await find(versions[0] ?? '', {
      ...chain,
      'x-chain-var-userToken': running.issuer.user('jane'),
      'x-chain-var-tokenTransformationFragmentName': 'f',
      'x-fragment-name': 'f',
    })
    expect(formOf(0)).toMatchObject({ client_id: 'of-the-instance', scope: 'of-the-first' })
    expect(formOf(1)).toMatchObject({ client_id: 'client-of-last', scope: 'of-the-last' })
  })

  it('does without a fragment of the first destination only when that is said', async () => {
    await store(oauth('first', 'OAuth2JWTBearer'))
    await store(oauth('last', 'OAuth2JWTBearer'))
    const headers = {
      ...chain,
      'x-chain-var-userToken': running.issuer.user('jane'),
      'x-chain-var-tokenTransformationFragmentName': 'none',
    }
    const text = expect.stringContaining('"first"') as string
    expect(await find(versions[0] ?? '', headers)).toMatchObject({ authTokens: [{ type: '', error: text }] })
    const optional = { ...headers, 'x-chain-var-tokenTransformationFragmentOptional': 'true' }
    expect(await find(versions[0] ?? '', optional)).toMatchObject({ authTokens: [{ value: 'last-1' }] })
    const nonsense = { ...headers, 'x-chain-var-tokenTransformationFragmentOptional': 'maybe' }
    expect((await running.call('GET', versions[0] ?? '', { headers: nonsense })).status).toBe(400)
  })

  it('is an entry with the reason when the first destination is missing, has no token, or fails', async () => {
    await store(oauth('last', 'OAuth2JWTBearer'))
    const headers = { ...chain, 'x-chain-var-userToken': running.issuer.user('jane') }
    const errorOf = async (): Promise<string | undefined> => (await find(versions[0] ?? '', headers)).authTokens?.[0]?.error
    expect(await errorOf()).toContain('was not found')
    await store({ Name: 'first', Type: 'HTTP', URL: 'http://x' }, 'instance')
    expect(await errorOf()).toContain('yields no token')
    await running.call('DELETE', '/v1/instanceDestinations/first')
    await store(oauth('first', 'OAuth2JWTBearer'))
    tokenServer.answerJson(401, { error_description: 'go away' })
    expect(await errorOf()).toContain('go away')
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('refuses a token of the first destination that nobody vouches for', async () => {
    transformed = 'not-a-jwt'
    await store(oauth('first', 'OAuth2JWTBearer'))
    await store(oauth('last', 'OAuth2JWTBearer'))
    const found = await find(versions[0] ?? '', { ...chain, 'x-chain-var-userToken': running.issuer.user('jane') })
    expect(found.authTokens).toMatchObject([{ type: '', error: expect.stringContaining('not valid') as string }])
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('calls nobody with $skipTokenRetrieval', async () => {
    await store(oauth('last', 'OAuth2JWTBearer'))
    const found = await find(`${versions[0]}?$skipTokenRetrieval=true`, { ...chain, 'x-chain-var-userToken': running.issuer.user('jane') })
    expect(found).not.toHaveProperty('authTokens')
    expect(tokenServer.calls).toEqual([])
  })
})

describe('the SAML assertion of an identity service', () => {
  const chain = {
    'x-chain-name': 'com.sap.iasGeneratedOAuth2SamlBearerAssertion',
    'x-chain-var-samlProviderDestinationName': 'provider',
    'x-chain-var-subjectToken': 'the-subject',
    'x-chain-var-subjectTokenType': 'urn:ietf:params:oauth:token-type:id_token',
  }
  const provider = (): Record<string, string> =>
    oauth('provider', 'OAuth2TokenExchange', {
      'tokenServiceURL.queries.requested_token_type': 'urn:ietf:params:oauth:token-type:saml2',
    })
  const last = (more: Record<string, string> = {}): Record<string, string> =>
    oauth('last', 'OAuth2SAMLBearerAssertion', { clientKey: 'key', SAMLAssertionProvider: 'ClientProvided', ...more })
  beforeEach(() => {
    tokenServer.answer((call, response) => {
      const body = call.url.includes('of=provider')
        ? { access_token: 'PHNhbWw-', token_type: 'N_A', issued_token_type: 'urn:ietf:params:oauth:token-type:saml2', expires_in: 300 }
        : { access_token: 'final', token_type: 'bearer', expires_in: 300 }
      response.writeHead(200).end(JSON.stringify(body))
    })
  })

  it('DS-128 reaches the last destination’s token service as assertion, on v1 and v2', async () => {
    await store(provider())
    await store(last())
    for (const path of versions) {
      expect(await find(path, chain)).toMatchObject({ destinationConfiguration: { Name: 'last' }, authTokens: [{ value: 'final' }] })
    }
    const exchange = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'the-subject',
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    }
    expect(tokenServer.calls[0]?.url).toContain('requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Asaml2')
    expect(formOf(0)).toMatchObject(exchange)
    expect(formOf(1)).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:saml2-bearer',
      assertion: 'PHNhbWw-',
      client_id: 'key',
    })
    // The second time the assertion is the same, and with it the token that is remembered.
    expect(formOf(2)).toMatchObject(exchange)
    expect(tokenServer.calls).toHaveLength(3)
  })

  it('needs a last destination that takes assertions of others, and a provider that exchanges tokens', async () => {
    await store(provider())
    await store(last({ SAMLAssertionProvider: 'DestinationServiceGenerated' }))
    expect(await find(versions[0] ?? '', chain)).toMatchObject({
      authTokens: [{ type: '', error: expect.stringContaining('SAMLAssertionProvider=ClientProvided') as string }],
    })
    await running.call('PUT', '/v1/subaccountDestinations', { body: last() })
    await running.call('PUT', '/v1/subaccountDestinations', { body: oauth('provider', 'OAuth2ClientCredentials') })
    expect(await find(versions[0] ?? '', chain)).toMatchObject({
      authTokens: [{ type: '', error: expect.stringContaining('Authentication=OAuth2TokenExchange') as string }],
    })
    expect(tokenServer.calls).toEqual([])
  })

  it.each(versions)('is not begun at %s when the chain is unknown or lacks a variable', async (path) => {
    await store(last())
    expect(await running.call('GET', path, { headers: { 'x-chain-name': 'com.sap.none' } })).toMatchObject({
      status: 400,
      json: { ErrorMessage: expect.stringContaining('com.sap.sequentialUserPropagation') as string },
    })
    const { 'x-chain-var-subjectToken': _left, ...incomplete } = chain
    expect(await running.call('GET', path, { headers: incomplete })).toMatchObject({
      status: 400,
      json: { ErrorMessage: expect.stringContaining('X-chain-var-subjectToken') as string },
    })
    expect(tokenServer.calls).toEqual([])
  })
})

it('a chain cannot name more fragments than a look-up', async () => {
  await store(oauth('first', 'NoAuthentication'))
  await store(oauth('last', 'OAuth2JWTBearer'))
  const names = Array.from({ length: 21 }, (_, at) => `f${at}`).join(',')
  const headers = {
    'X-Chain-Name': 'com.sap.sequentialUserPropagation',
    'X-Chain-Var-TokenTransformationDestinationName': 'first',
    'X-Chain-Var-TokenTransformationFragmentName': names,
    'X-Chain-Var-UserToken': running.issuer.user('jane'),
  }
  const { status, json } = await running.call('GET', '/v1/destinations/last', { headers })
  expect(status).toBe(400)
  expect(json).toEqual({ ErrorMessage: 'One look-up can name 20 fragments at most' })
})
