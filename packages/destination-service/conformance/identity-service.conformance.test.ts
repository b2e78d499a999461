import { X509Certificate } from 'node:crypto'
import { createTestCa, createTestIssuer, type ManualClock, type TestIdentity, type TestIssuer } from '@sallyport/test-fixtures'
import { createFixedKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { IdentityClient, IdentityRelation } from '../src/index.ts'
import { readAssertion } from './saml-assertion.ts'
import { startTokenServer } from './token-server.ts'
import { instanceId, otherInstanceId, providerSubaccount, type RunningService, startService } from './running-service.ts'

const ca = createTestCa()
const server = ca.issue({ subject: '/CN=localhost' })
/** Signed by nobody whom the service knows: the token names the certificate, not its issuer. */
const clientAuthority = createTestCa({ subject: '/CN=Identity Authority' })
const mine = clientAuthority.issue({ subject: '/CN=orders' })
const another = clientAuthority.issue({ subject: '/CN=another' })
const issuerName = 'https://acme.accounts.example.com'
const orders = 'f3c1a9d2-orders'

let running: RunningService
let issuer: TestIssuer
let relations: Map<string, IdentityRelation>
let asked: IdentityClient[]
let clock: ManualClock

const thumbprint = ({ certificate }: TestIdentity): string =>
  Buffer.from(new X509Certificate(certificate).fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')

beforeAll(async () => {
  issuer = createTestIssuer({ issuer: issuerName, nowMs: () => clock.now() })
  running = await startService({
    tls: { cert: server.certificate, key: server.key },
    identity: (manual) => {
      clock = manual
      return {
        issuers: new Set([issuerName]),
        verifier: createTokenVerifier({
          keys: createFixedKeySource([{ issuer: issuerName, keys: issuer.keys }]),
          clock: manual,
          expiryToleranceSeconds: 0,
          notBeforeToleranceSeconds: 60,
          maxCachedTokens: 100,
          maxTokenBytes: 16_384,
        }),
        relations: {
          find(client) {
            asked.push(client)
            return Promise.resolve(relations.get(`${client.clientId}@${client.tenantId}`))
          },
        },
      }
    },
  })
  await running.repository.create(
    'destination',
    { subaccountId: providerSubaccount, instanceId },
    [{ name: 'own', properties: { Name: 'own', Type: 'TCP', Address: 'x:1' }, sharedWithSubscriber: false }],
    { nowMs: 0, maxPerSubaccount: 10 },
  )
})
beforeEach(async () => {
  asked = []
  relations = new Map([
    [`${orders}@${providerSubaccount}`, { instance: { instanceId, subaccountId: providerSubaccount }, subaccountId: providerSubaccount }],
  ])
  await call('DELETE', '/maintenance/v1/caches/ias', { token: running.token() })
})
afterAll(() => running.close())

function identityToken(claims: Readonly<Record<string, unknown>> = {}): string {
  return issuer.sign({
    zid: undefined,
    ext_attr: undefined,
    sub: orders,
    azp: orders,
    aud: orders,
    app_tid: providerSubaccount,
    cnf: { 'x5t#S256': thumbprint(mine) },
    ...claims,
  })
}

async function call(
  method: 'GET' | 'DELETE',
  path: string,
  { token = identityToken(), certificate = mine }: { readonly token?: string; readonly certificate?: TestIdentity | null } = {},
): Promise<{ readonly status: number; readonly body: unknown }> {
  const agent = new Agent({
    connect: { ca: ca.certificate, ...(certificate === null ? {} : { cert: certificate.certificate, key: certificate.key }) },
  })
  try {
    const answer = await request(`${running.url}/destination-configuration${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      dispatcher: agent,
    })
    const text = await answer.body.text()
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text) }
  } finally {
    await agent.close()
  }
}

describe('an application of an identity service', () => {
  it('reads the level of the instance that it consumes, over a connection with the certificate of its token', async () => {
    expect(await call('GET', '/v1/destinations/own')).toMatchObject({ status: 200, body: { owner: { InstanceId: instanceId } } })
    expect(await call('GET', '/v1/instanceDestinations/own')).toMatchObject({ status: 200, body: { Name: 'own' } })
    expect(asked).toEqual([{ issuer: issuerName, clientId: orders, tenantId: providerSubaccount }])
  })

  it('is a user where its token is one, whose token goes on as it is, and who is looked up nowhere else', async () => {
    const tokenServer = await startTokenServer()
    const common = { Type: 'HTTP', URL: 'https://target.example', clientId: 'c', tokenServiceURL: tokenServer.url }
    const signing = ca.issue({ subject: '/CN=signer', keyType: 'rsa' })
    const at = { subaccountId: providerSubaccount, instanceId }
    const write = (name: string, properties: Record<string, string>) => ({
      name,
      properties: { Name: name, ...properties },
      sharedWithSubscriber: false,
    })
    const Content = Buffer.from(`${signing.certificate}\n${signing.key}`).toString('base64')
    await running.repository.create('certificate', at, [write('own.pem', { Type: 'CERTIFICATE', Content })], {
      nowMs: 0,
      maxPerSubaccount: 10,
    })
    const saml = {
      Authentication: 'SAMLAssertion',
      KeyStoreLocation: 'own.pem',
      audience: 'a',
      authnContextClassRef: 'c',
      userIdSource: 'user_uuid',
    }
    const writes = [write('jwt', { ...common, Authentication: 'OAuth2JWTBearer' }), write('saml', { ...common, ...saml })]
    await running.repository.create('destination', at, writes, { nowMs: 0, maxPerSubaccount: 10 })
    const token = identityToken({ user_uuid: 'uuid-of-jane', email: 'jane@acme.test', scope: ['openid'] })
    expect(await call('GET', '/v1/destinations/jwt', { token })).toMatchObject({
      body: { authTokens: [{ type: 'Bearer', value: 'token-1' }] },
    })
    expect(tokenServer.calls[0]?.form.get('assertion')).toBe(token)
    const { body } = await call('GET', '/v1/destinations/saml', { token })
    const [entry] = (body as { authTokens: { type: string; value: string }[] }).authTokens
    expect(entry?.type).toBe('SAML2.0')
    expect(readAssertion(entry?.value ?? '').text('NameID')).toBe('uuid-of-jane')
    await tokenServer.close()
  })

  it('DS-057 is refused at v2 with 422', async () => {
    expect(await call('GET', '/v2/destinations/own@instance')).toMatchObject({
      status: 422,
      body: { ErrorMessage: expect.any(String) as string },
    })
    expect(await call('GET', '/v2/destinations/own@instance', { token: running.token() })).toMatchObject({ status: 200 })
  })

  it.each([
    ['without a certificate', {}, null, 401],
    ['with the certificate of another', {}, another, 401],
    ['with a token that is bound to no certificate', { cnf: undefined }, mine, 401],
    ['with a token that is bound to something else', { cnf: { jkt: 'x' } }, mine, 401],
    ['with a token that has expired', { exp: 1 }, mine, 401],
    ['of a tenant that has nothing to do with the instance', { app_tid: 'foreign' }, mine, 403],
    ['that consumes no instance', { azp: 'stranger', sub: 'stranger' }, mine, 403],
    ['that names no tenant', { app_tid: undefined }, mine, 403],
    // Only who is trusted decides, not what a token says of itself.
    ['that claims to be a client of the token service', { azp: undefined, cid: 'sb-clone1!b1|destination-xsappname!b1' }, mine, 403],
  ])('is refused %s', async (_what, claims, certificate, status) => {
    expect(await call('GET', '/v1/destinations/own', { token: identityToken(claims), certificate })).toMatchObject({ status })
  })

  it('is refused when another key than the issuer’s has signed', async () => {
    const forged = createTestIssuer({ issuer: issuerName, nowMs: () => clock.now() })
    const token = forged.sign({ azp: orders, app_tid: providerSubaccount, cnf: { 'x5t#S256': thumbprint(mine) } })
    expect(await call('GET', '/v1/destinations/own', { token })).toMatchObject({ status: 401 })
  })

  it('DS-139 is looked up again after DELETE /maintenance/v1/caches/ias, and only then', async () => {
    expect(await call('GET', '/v1/destinations/own')).toMatchObject({ status: 200 })
    relations.set(`${orders}@${providerSubaccount}`, {
      instance: { instanceId: otherInstanceId, subaccountId: providerSubaccount },
      subaccountId: providerSubaccount,
    })
    expect(await call('GET', '/v1/destinations/own')).toMatchObject({ status: 200 })
    expect(asked).toHaveLength(1)
    expect(await call('DELETE', '/maintenance/v1/caches/ias', { token: running.token() })).toEqual({ status: 200, body: undefined })
    expect(await call('GET', '/v1/destinations/own')).toMatchObject({ status: 404 })
    expect(asked).toHaveLength(2)
  })

  it('keeps the relations of other subaccounts when one clears its own', async () => {
    await call('GET', '/v1/destinations/own')
    await call('DELETE', '/maintenance/v1/caches/ias', { token: running.token({ subaccount: 'someone-else' }) })
    await call('GET', '/v1/destinations/own')
    expect(asked).toHaveLength(1)
  })

  it('is looked up again after an hour', async () => {
    await call('GET', '/v1/destinations/own')
    clock.advance(3_600_000)
    await call('GET', '/v1/destinations/own')
    expect(asked).toHaveLength(2)
  })

  it('clears nothing without a token', async () => {
    expect(await call('DELETE', '/maintenance/v1/caches/ias', { token: 'x' })).toMatchObject({ status: 401 })
  })
})
