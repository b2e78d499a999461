import { createPublicKey, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServiceAddress } from '../src/index.ts'
import { claimsOf, headerOf, ids, type RunningService, secrets, startService, tenantHosts, testCa } from './running-service.ts'

const technical = { grant_type: 'client_credentials', client_id: ids.app, client_secret: secrets.app }
const uaa = 'authentication.example.test'
const userClaims = [
  'user_id',
  'user_name',
  'user_uuid',
  'email',
  'given_name',
  'family_name',
  'origin',
  'xs.user.attributes',
  'xs.system.attributes',
]

describe('tokens', () => {
  let running: RunningService
  beforeAll(async () => {
    running = await startService({ address: tenantHosts })
  })
  afterAll(async () => running.service.close())

  it('CL-050 have the header and the claims that clients read; technical ones have no user claims', async () => {
    const token = (await running.token(technical, { host: `acme.${uaa}` })).json()['access_token']
    expect(headerOf(token)).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.any(String), jku: `https://${uaa}/token_keys` })
    const claims = claimsOf(token)
    expect(claims).toEqual({
      jti: expect.stringMatching(/^[\da-f]{32}$/),
      zid: ids.tenant,
      iss: `https://acme.${uaa}/oauth/token`,
      ext_attr: { enhancer: 'XSUAA', zdn: 'acme', subaccountid: ids.tenant },
      cid: ids.app,
      client_id: ids.app,
      azp: ids.app,
      sub: ids.app,
      aud: [ids.app, 'uaa', 'app!t1'],
      scope: ['uaa.resource', 'app!t1.Job'],
      grant_type: 'client_credentials',
      iat: Math.floor(running.clock.now() / 1000),
      exp: Math.floor(running.clock.now() / 1000) + 3600,
    })
    expect(Object.keys(claims).filter((claim) => userClaims.includes(claim))).toEqual([])

    const user = (
      await running.token({ ...technical, grant_type: 'password', username: 'jane@acme.test', password: 'correct horse' }, { host: uaa })
    ).json()['access_token']
    expect(headerOf(user)).toEqual(headerOf(token))
    expect(claimsOf(user)).toMatchObject({
      zid: ids.tenant,
      iss: `https://acme.${uaa}/oauth/token`,
      ext_attr: { enhancer: 'XSUAA', zdn: 'acme', subaccountid: ids.tenant },
      cid: ids.app,
      client_id: ids.app,
      azp: ids.app,
      sub: claimsOf(user)['user_id'],
      aud: [ids.app, 'openid', 'app!t1'],
      scope: ['openid', 'app!t1.Display'],
      grant_type: 'password',
      user_id: expect.stringMatching(/^[\da-f-]{36}$/),
      user_uuid: claimsOf(user)['user_id'],
      user_name: 'Jane@acme.test',
      email: 'Jane@acme.test',
      given_name: 'Jane',
      family_name: 'acme.test',
      origin: 'sap.default',
      'xs.user.attributes': { country: ['DE'], costcenter: ['1', '2'] },
      'xs.system.attributes': { 'xs.rolecollections': ['sales'] },
      iat: expect.any(Number),
      exp: expect.any(Number),
      jti: expect.any(String),
    })
  })

  it('CL-051 aud and scope are lists; a technical token names no client of another service', async () => {
    for (const [client, other] of [
      [{ client_id: ids.destination, client_secret: secrets.destination }, ids.connectivity],
      [{ client_id: ids.connectivity, client_secret: secrets.connectivity }, ids.destination],
    ] as const) {
      const claims = claimsOf((await running.token({ ...technical, ...client }, { host: uaa })).json()['access_token'])
      expect(Array.isArray(claims['aud']) && Array.isArray(claims['scope'])).toBe(true)
      expect(claims['aud']).toContain(client.client_id)
      expect(JSON.stringify(claims)).not.toContain(other)
      expect(JSON.stringify(claims)).not.toContain(other.replace('sb-', ''))
    }
  })

  it('CL-054 fit into 4 KiB; one that would not is refused', async () => {
    const fitting = await running.token(
      { ...technical, authorities: JSON.stringify({ az_attr: { text: 'x'.repeat(990) } }) },
      { host: uaa },
    )
    expect(fitting.status).toBe(200)
    expect(fitting.json()['access_token'].length).toBeLessThanOrEqual(4096)
    expect((await running.userToken()).length).toBeLessThanOrEqual(2048)
    const scopes = Array.from({ length: 30 }, (_, at) => ({ name: `$XSAPPNAME.${'scope'.repeat(20)}${at}`, groups: 'everyone' as const }))
    const client = { id: 'greedy', tenant: ids.tenant, scopes }
    await using greedy = await startService({ moreClients: [client] })
    await expect(greedy.service.issueUserToken({ tenant: ids.tenant, user: 'root', clientId: 'greedy' })).rejects.toThrow(/4096 bytes/)
    const narrowed = await greedy.service.issueUserToken({ tenant: ids.tenant, user: 'root', clientId: 'greedy', scopes: ['openid'] })
    expect(String(narrowed.access_token).length).toBeLessThanOrEqual(4096)
  })
})

describe('addresses in tokens', () => {
  const addresses: readonly (readonly [string, ServiceAddress, string])[] = [
    ['loopback', { kind: 'loopback' }, 'localhost'],
    [
      'one host',
      { kind: 'single-host', publicUrl: 'https://tokens.example.test:8443', uaaDomain: 'tokens.example.test:8443' },
      'tokens.example.test',
    ],
    [
      'a plain address for clients and TLS for keys',
      { kind: 'single-host', publicUrl: 'http://127.0.0.1:8080', uaaDomain: 'localhost:8443' },
      'localhost',
    ],
    ['tenant hosts', tenantHosts, uaa],
  ]

  it.each(addresses)('CL-052 jku ends with the uaadomain without its port: %s', async (_, address, host) => {
    await using running = await startService({ address })
    const jku = new URL(headerOf((await running.token(technical, { host: 'localhost' })).json()['access_token'])['jku'])
    expect([jku.protocol, jku.hostname, jku.pathname]).toEqual(['https:', host, '/token_keys'])
    expect(running.service.uaaDomain().replace(/:\d+$/, '')).toBe(host)
  })

  it.each(addresses)('CL-053 without zdn the host of iss has a dot: %s', async (_, address) => {
    await using running = await startService({ address })
    const claims = claimsOf((await running.token(technical, { host: 'localhost' })).json()['access_token'])
    expect(new URL(claims['iss']).hostname).toMatch(/\./)
    expect(new URL(claims['iss']).pathname).toBe('/oauth/token')
    expect('zdn' in claims['ext_attr']).toBe(address.kind === 'tenant-hosts')
  })

  it.each([
    [{ kind: 'single-host', publicUrl: 'https://localhost:8443', uaaDomain: 'localhost:8443' }, /no dot/],
    [{ kind: 'single-host', publicUrl: 'https://a.test/path', uaaDomain: 'a.test' }, /without path/],
    [{ kind: 'single-host', publicUrl: 'https://a.test', uaaDomain: 'https://a.test' }, /uaaDomain/],
    [{ kind: 'tenant-hosts', uaaDomain: 'a.test:443' }, /port 443/],
    [{ kind: 'tenant-hosts', uaaDomain: '127.0.0.1' }, /domain name/],
  ] as const)('refuses an address that clients cannot use: %j', async (address, problem) => {
    await expect(startService({ address })).rejects.toThrow(problem)
  })
})

describe('keys', () => {
  it('CL-060 have kid, numbers and PEM, and verify the tokens either way', async () => {
    await using running = await startService()
    const token = String((await running.token(technical)).json()['access_token'])
    const { keys } = (await running.call({ path: '/token_keys' })).json() as { keys: Record<string, string>[] }
    expect(keys).toEqual([
      {
        kty: 'RSA',
        alg: 'RS256',
        use: 'sig',
        kid: headerOf(token)['kid'],
        n: expect.any(String),
        e: 'AQAB',
        value: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----\n/),
      },
    ])
    const [header = '', payload = '', signature = ''] = token.split('.')
    for (const key of [createPublicKey(keys[0]?.['value'] ?? ''), createPublicKey({ key: keys[0] ?? {}, format: 'jwk' })]) {
      expect(verify('RSA-SHA256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(true)
    }
    expect(await running.service.verificationKey()).toBe(keys[0]?.['value'])
  })

  it('CL-061 are answered with and without zid, and with 400 for a tenant that nobody knows', async () => {
    await using running = await startService()
    const started = performance.now()
    const plain = await running.call({ path: '/token_keys' })
    const zoned = await running.call({ path: `/token_keys?zid=${ids.subscriber}` })
    expect(performance.now() - started).toBeLessThan(2_000)
    expect([plain.status, zoned.status]).toEqual([200, 200])
    expect(zoned.json()).toEqual(plain.json())
    expect((await running.call({ path: '/token_keys?zid=unknown' })).status).toBe(400)
  })

  it('CL-062 a new key is published 30 minutes before it signs, and the old one stays until its last token has expired', async () => {
    await using running = await startService()
    const { clock } = running
    const issue = async (): Promise<string> => String((await running.token(technical)).json()['access_token'])
    const published = async (): Promise<string[]> =>
      ((await running.call({ path: '/token_keys' })).json()['keys'] as { kid: string }[]).map(({ kid }) => kid)
    const kidOf = (token: string): string => String(headerOf(token)['kid'])

    const oldKid = kidOf(await issue())
    const { keyId: newKid, signsFromMs } = await running.service.rotateKeys()
    const rotatedAt = clock.now()
    expect(await published()).toEqual([oldKid, newKid])
    expect((await running.service.rotateKeys()).keyId).toBe(newKid)
    clock.set(rotatedAt + 30 * 60_000)
    expect(kidOf(await issue())).toBe(oldKid)
    clock.set(signsFromMs - 1)
    const lastOld = await issue()
    expect(kidOf(lastOld)).toBe(oldKid)
    clock.set(signsFromMs)
    expect(kidOf(await issue())).toBe(newKid)
    clock.set(claimsOf(lastOld)['exp'] * 1000 + 60_000)
    expect(await published()).toEqual([oldKid, newKid])
    clock.set(signsFromMs + 25 * 3_600_000)
    expect(await published()).toEqual([newKid])
    expect(kidOf(await issue())).toBe(newKid)
  })

  it('CL-191 are the same over http and https, and so are tokens', async () => {
    await using running = await startService()
    const [overTls, plain] = await Promise.all([running.call({ path: '/token_keys' }), running.call({ path: '/token_keys', plain: true })])
    expect(plain.status).toBe(200)
    expect(plain.json()).toEqual(overTls.json())
    const tokens = await Promise.all([running.token(technical), running.token(technical, { plain: true })])
    const [first, second] = tokens.map((answer) => answer.json()['access_token'])
    expect(headerOf(second)).toEqual(headerOf(first))
    expect(claimsOf(second)['iss']).toBe(claimsOf(first)['iss'])
  })

  it('plain http stays on this machine unless something in front is said to protect it', async () => {
    await using running = await startService()
    await expect(running.service.listenHttp({ host: '0.0.0.0', port: 0 })).rejects.toThrow(/in clear/)
  })

  it('a renewed server certificate is served without a restart', async () => {
    await using running = await startService()
    let identity = testCa.issue({ subject: '/CN=first' })
    const listener = await running.service.listenHttps({
      host: '127.0.0.1',
      port: 0,
      tls: () => ({ cert: identity.certificate, key: identity.key }),
    })
    const subject = async (): Promise<string> => {
      const { connect } = await import('node:tls')
      return new Promise((resolve, reject) => {
        const socket = connect({ port: listener.port, host: '127.0.0.1', ca: testCa.certificate }, () => {
          resolve(String(socket.getPeerCertificate().subject.CN))
          socket.destroy()
        })
        socket.on('error', reject)
      })
    }
    expect(await subject()).toBe('first')
    identity = testCa.issue({ subject: '/CN=second' })
    listener.reloadTls()
    expect(await subject()).toBe('second')
  })
})

it('CL-038 correlation ids of either header are logged and come back', async () => {
  await using running = await startService()
  const answers = [
    await running.token({ ...technical, client_secret: 'wrong-secret' }, { headers: { 'x-vcap-request-id': 'vcap-1' } }),
    await running.token(technical, { headers: { 'x-correlationid': 'corr-2' } }),
    await running.token(technical, { headers: { 'x-correlationid': 'no id {}' } }),
  ]
  const correlationIds = answers.map(({ headers }) => headers['x-vcap-request-id'])
  expect(correlationIds).toEqual(['vcap-1', 'corr-2', expect.stringMatching(/^[\da-f-]{36}$/)])
  expect(await Promise.all(correlationIds.map((id) => running.loggedRequest(id)))).toMatchObject([
    { level: 'info', code: 'invalid_client', status: 401, route: '/oauth/token' },
    { clientId: ids.app, grantType: 'client_credentials', subaccount: ids.tenant, status: 200 },
    { status: 200 },
  ])
})
