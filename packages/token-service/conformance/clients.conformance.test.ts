import { createHash, X509Certificate } from 'node:crypto'
import { Agent, request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { createSecret } from '@sallyport/core'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimsOf, ids, type RunningService, secrets, startService, testCa } from './running-service.ts'

let running: RunningService
beforeAll(async () => {
  running = await startService()
})
afterAll(async () => running.service.close())

const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
const technical = { grant_type: 'client_credentials' }

describe('where parameters stand', () => {
  it('CL-030 reads body and query alike, and ignores unknown and empty parameters', async () => {
    const query = new URLSearchParams({ ...technical, client_id: ids.app, client_secret: secrets.app })
    const inQuery = await running.call({ method: 'POST', path: `/oauth/token?${query}&app_tid=&s3bcl_a=1&s3bcl_a=2&scope=` })
    expect(inQuery.status).toBe(200)
    const split = await running.token(
      { client_secret: secrets.app, app_tid: '', whatever: 'x' },
      { path: `/oauth/token?grant_type=client_credentials&client_id=${ids.app}` },
    )
    expect(split.status).toBe(200)
    expect(claimsOf(split.json()['access_token'])['zid']).toBe(ids.tenant)
    const withCharset = await running.token(
      { ...technical, client_id: ids.app, client_secret: secrets.app },
      { headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' } },
    )
    expect(withCharset.status).toBe(200)
  })

  it('refuses a parameter that comes twice with different values, in one place or in both', async () => {
    for (const [query, body] of [
      ['', `grant_type=client_credentials&grant_type=password&client_id=${ids.app}`],
      ['?grant_type=password', `grant_type=client_credentials&client_id=${ids.app}`],
    ] as const) {
      const answer = await running.call({ method: 'POST', path: `/oauth/token${query}`, body })
      expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_request'])
    }
  })
})

describe('secrets', () => {
  it('CL-031 accepts Basic credentials raw and percent-encoded', async () => {
    const raw = basic(ids.destination, secrets.destination)
    const encoded = basic(encodeURIComponent(ids.destination), encodeURIComponent(secrets.destination))
    expect(raw).not.toBe(encoded)
    for (const authorization of [raw, encoded]) {
      const answer = await running.token(technical, { headers: { authorization } })
      expect(answer.status).toBe(200)
      expect(claimsOf(answer.json()['access_token'])['cid']).toBe(ids.destination)
    }
    // The community client repeats its id in the body.
    expect((await running.token({ ...technical, client_id: ids.destination }, { headers: { authorization: raw } })).status).toBe(200)
  })

  it.each([
    ['an unknown client', { client_id: 'sb-unknown', client_secret: secrets.app }, {}],
    ['a wrong secret', { client_id: ids.app, client_secret: `${secrets.app}x` }, {}],
    ['the secret of another client', { client_id: ids.app, client_secret: secrets.connectivity }, {}],
    [
      'the stored hash of the secret',
      { client_id: ids.app, client_secret: `sha256:${createHash('sha256').update(secrets.app).digest('base64url')}` },
      {},
    ],
    ['no secret', { client_id: ids.app }, {}],
    ['nothing at all', {}, {}],
    ['a wrong Basic secret', {}, { authorization: basic(ids.app, 'x') }],
    [
      'Basic and a body that disagree about the client',
      { client_id: ids.app },
      { authorization: basic(ids.connectivity, secrets.connectivity) },
    ],
    [
      'Basic and a body that disagree about the secret',
      { client_id: ids.app, client_secret: 'x' },
      { authorization: basic(ids.app, secrets.app) },
    ],
    ['Basic without a colon', {}, { authorization: `Basic ${Buffer.from('abc').toString('base64')}` }],
    ['another scheme', {}, { authorization: 'Bearer abc' }],
  ])('refuses %s with 401 invalid_client', async (_, parameters, headers) => {
    const answer = await running.token(
      { ...technical, ...parameters },
      {
        headers,
      },
    )
    expect([answer.status, answer.json()['error']]).toEqual([401, 'invalid_client'])
    expect(answer.headers['www-authenticate'] !== undefined).toBe(Object.values(headers).some((value) => value.startsWith('Basic')))
  })

  it('lets two secrets live side by side while one is being exchanged', async () => {
    const both = ['first-secret-0123456789', 'second-secret-0123456789']
    await using service = await startService({
      moreClients: [{ id: 'rotating', tenant: ids.tenant, secrets: both.map((secret) => createSecret(secret)) }],
    })
    for (const client_secret of both) expect((await service.token({ ...technical, client_id: 'rotating', client_secret })).status).toBe(200)
  })

  it('gives a client the grants that it has', async () => {
    await using service = await startService({
      moreClients: [
        { id: 'limited', tenant: ids.tenant, grantTypes: ['client_credentials'], secrets: [createSecret('limited-secret-0123456')] },
      ],
    })
    const limited = { client_id: 'limited', client_secret: 'limited-secret-0123456' }
    expect((await service.token({ ...technical, ...limited })).status).toBe(200)
    const refused = await service.token({ grant_type: 'password', ...limited, username: 'root', password: 'battery staple' })
    expect([refused.status, refused.json()['error']]).toEqual([401, 'unauthorized_client'])
  })
})

describe('TLS client certificates', () => {
  const identity = testCa.issue({ subject: '/O=Acme/CN=app', names: [] })
  const renewed = testCa.issue({ subject: '/O=Acme/CN=app', names: [] })
  const stranger = createTestCa({ subject: '/O=Test/CN=Test CA' }).issue({ subject: '/O=Acme/CN=app', names: [] })
  const thumbprint = createHash('sha256').update(new X509Certificate(identity.certificate).raw).digest('base64url')
  const moreClients = [
    {
      id: 'by-thumbprint',
      tenant: ids.tenant,
      certificates: [{ thumbprintSha256: new X509Certificate(identity.certificate).fingerprint256 }],
    },
    { id: 'by-name', tenant: ids.tenant, certificates: [{ subject: 'CN=app, O=Acme', issuer: 'CN=Test CA, O=Test' }] },
  ]
  const certTokens = (service: RunningService, client_id: string, given = identity) =>
    service.token({ ...technical, client_id }, { identity: given })

  it('are requested of everybody, required of nobody, and bind the token to themselves', async () => {
    await using service = await startService({ moreClients, trustClientCa: true })
    for (const client of ['by-thumbprint', 'by-name']) {
      const answer = await certTokens(service, client)
      expect(answer.status).toBe(200)
      expect(claimsOf(answer.json()['access_token'])).toMatchObject({
        cid: client,
        grant_type: 'client_x509',
        cnf: { 'x5t#S256': thumbprint },
      })
    }
    expect((await service.token({ ...technical, client_id: ids.app, client_secret: secrets.app })).status).toBe(200)
    const withSecret = await service.token({ ...technical, client_id: ids.app, client_secret: secrets.app }, { identity: stranger })
    expect(claimsOf(withSecret.json()['access_token'])).not.toHaveProperty('cnf')
  })

  it('are recognised by subject and issuer after a renewal, by thumbprint only themselves', async () => {
    await using service = await startService({ moreClients, trustClientCa: true })
    expect((await certTokens(service, 'by-name', renewed)).status).toBe(200)
    expect((await certTokens(service, 'by-thumbprint', renewed)).status).toBe(401)
  })

  it('of another authority with the same names, expired ones and those of other clients are refused', async () => {
    await using service = await startService({ moreClients, trustClientCa: true })
    for (const client of ['by-name', 'by-thumbprint', ids.app]) expect((await certTokens(service, client, stranger)).status).toBe(401)
    expect((await certTokens(service, ids.app)).status).toBe(401)
    service.clock.advance(11 * 86_400_000)
    expect((await certTokens(service, 'by-thumbprint')).status).toBe(401)
  })

  it('are not recognised by name when no authority is configured', async () => {
    await using service = await startService({ moreClients })
    expect((await certTokens(service, 'by-name')).status).toBe(401)
    expect((await certTokens(service, 'by-thumbprint')).status).toBe(200)
  })

  it('are recognised again when a client resumes its TLS session', async () => {
    await using service = await startService({ moreClients, trustClientCa: true })
    const agent = new Agent({ ca: testCa.certificate, cert: identity.certificate, key: identity.key, keepAlive: false })
    const ask = (client: string): Promise<{ readonly reused: boolean; readonly status: number | undefined }> =>
      new Promise((resolve, reject) => {
        const path = `/oauth/token?grant_type=client_credentials&client_id=${client}`
        const asked = request({ agent, port: service.https.port, host: 'localhost', method: 'POST', path }, (response) => {
          response.resume().on('end', () => resolve({ reused, status: response.statusCode }))
        })
        let reused = false
        asked.on('socket', (socket) => socket.once('secureConnect', () => (reused = (socket as TLSSocket).isSessionReused())))
        asked.on('error', reject).end()
      })
    expect(await ask('by-name')).toEqual({ reused: false, status: 200 })
    expect(await ask('by-name')).toEqual({ reused: true, status: 200 })
    expect(await ask('by-thumbprint')).toEqual({ reused: true, status: 200 })
    expect(await ask(ids.app)).toEqual({ reused: true, status: 401 })
  })

  it('mean nothing on the plain listener', async () => {
    await using service = await startService({ moreClients })
    expect((await service.token({ ...technical, client_id: 'by-thumbprint' }, { plain: true })).status).toBe(401)
  })
})
