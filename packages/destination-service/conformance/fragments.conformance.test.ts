import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestCa } from '@sallyport/test-fixtures'
import { clientId, instanceId, providerSubaccount, type RunningService, startService } from './running-service.ts'
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

type Level = 'subaccount' | 'instance'
const http = (Name: string, extra: Record<string, string> = {}) => ({ Name, Type: 'HTTP', URL: 'http://x', ...extra })
const subscriber = 'subscriber-1'

async function store(level: Level, entity: Record<string, string>, token = running.token()): Promise<void> {
  const collection = 'FragmentName' in entity ? `${level}DestinationFragments` : `${level}Destinations`
  expect(await running.call('POST', `/v1/${collection}`, { body: entity, token })).toMatchObject({ status: 201, text: '' })
}

interface Found {
  readonly status: number
  readonly etag: string | null
  readonly configuration: Readonly<Record<string, string>>
  readonly problem: string | undefined
}

async function find(
  path: string,
  fragments?: string,
  headers: Readonly<Record<string, string>> = {},
  token = running.token(),
): Promise<Found> {
  const sent = { ...(fragments === undefined ? {} : { 'x-fragment-name': fragments }), ...headers }
  const answer = await running.call('GET', path, { headers: sent, token })
  const json = answer.json as { destinationConfiguration?: Record<string, string>; ErrorMessage?: string } | undefined
  return {
    status: answer.status,
    etag: answer.headers.get('etag'),
    configuration: json?.destinationConfiguration ?? {},
    problem: json?.ErrorMessage,
  }
}

describe('a stored fragment', () => {
  const collection = '/v1/subaccountDestinationFragments'

  it('DS-121 has a FragmentName and neither Name nor Type', async () => {
    for (const body of [
      { URL: 'http://x' },
      { FragmentName: 'f', Name: 'n' },
      { FragmentName: 'f', Type: 'HTTP' },
      { FragmentName: '' },
      { FragmentName: 'a b' },
      { FragmentName: 'f'.repeat(201) },
      { FragmentName: 'f', Nested: {} },
    ]) {
      for (const method of ['POST', 'PUT']) {
        const { status, json } = await running.call(method, collection, { body })
        expect({ status, json }).toEqual({ status: 400, json: { ErrorMessage: expect.any(String) as string } })
      }
    }
    expect((await running.call('GET', collection)).json).toEqual([])
    expect((await running.call('POST', collection, { body: { FragmentName: 'f'.repeat(200) } })).status).toBe(201)
  })

  it('is created, read, replaced and deleted as a flat object of texts, on both levels', async () => {
    for (const path of [collection, '/v1/instanceDestinationFragments']) {
      expect(await running.call('GET', path)).toMatchObject({ status: 200, json: [] })
      expect(await running.call('POST', path, { body: { FragmentName: 'f', Port: 8080, Password: 'p4ss' } })).toMatchObject({
        status: 201,
        text: '',
      })
      expect((await running.call('POST', path, { body: { FragmentName: 'f' } })).status).toBe(409)
      const read = await running.call('GET', `${path}/f`)
      expect(read).toMatchObject({ status: 200, json: { FragmentName: 'f', Port: '8080', Password: 'p4ss' } })
      expect(read.headers.get('etag')).toMatch(/^[0-9a-f]{64}$/)
      expect(await running.call('PUT', path, { body: { FragmentName: 'f', URL: 'http://y' } })).toMatchObject({
        status: 200,
        json: { Count: 1 },
      })
      const replaced = await running.call('GET', `${path}/f`)
      expect(replaced.json).toEqual({ FragmentName: 'f', URL: 'http://y' })
      expect(replaced.headers.get('etag')).not.toBe(read.headers.get('etag'))
      expect((await running.call('GET', path)).json).toEqual([{ FragmentName: 'f', URL: 'http://y' }])
      expect((await running.call('GET', `${path}?$select=FragmentName`)).json).toEqual([{ FragmentName: 'f' }])
      expect(await running.call('DELETE', `${path}/f`)).toMatchObject({ status: 200, json: { Count: 1 } })
      const missing = { status: 404, json: { ErrorMessage: "The fragment with the specified name 'f' was not found" } }
      expect(await running.call('GET', `${path}/f`)).toMatchObject(missing)
      expect(await running.call('PUT', path, { body: { FragmentName: 'f' } })).toMatchObject(missing)
      expect(await running.call('DELETE', `${path}/f`)).toMatchObject({ status: 200, json: { Count: 0 } })
    }
  })

  it('DS-029 is written and deleted one at a time', async () => {
    await store('subaccount', { FragmentName: 'f' })
    for (const [method, path, body] of [
      ['POST', collection, [{ FragmentName: 'g' }]],
      ['PUT', collection, [{ FragmentName: 'f', URL: 'http://y' }]],
      ['DELETE', `${collection}?$filter=${encodeURIComponent("Name in ('f')")}`, undefined],
    ] as const) {
      expect(await running.call(method, path, body === undefined ? {} : { body })).toMatchObject({
        status: 400,
        json: { ErrorMessage: expect.any(String) as string },
      })
    }
    expect((await running.call('GET', collection)).json).toEqual([{ FragmentName: 'f' }])
  })

  it('DS-014 counts by itself: destinations, fragments and certificates each have their own limit', async () => {
    await running.close()
    running = await startService({ perSubaccount: 2 })
    const content = Buffer.from(createTestCa().certificate).toString('base64')
    for (const [path, body] of [
      ['Destinations', (name: string) => http(name)],
      ['DestinationFragments', (name: string) => ({ FragmentName: name })],
      ['Certificates', (name: string) => ({ Name: `${name}.pem`, Content: content })],
    ] as const) {
      expect((await running.call('POST', `/v1/subaccount${path}`, { body: body('a') })).status).toBe(201)
      expect((await running.call('POST', `/v1/instance${path}`, { body: body('b') })).status).toBe(201)
      expect(await running.call('POST', `/v1/subaccount${path}`, { body: body('c') })).toMatchObject({
        status: 400,
        json: { ErrorMessage: expect.stringContaining('already has 2') as string },
      })
      // Another subaccount has its own.
      const token = running.token({ subaccount: subscriber })
      expect((await running.call('POST', `/v1/subaccount${path}`, { body: body('c'), token })).status).toBe(201)
    }
  })
})

describe('a fragment laid over a destination', () => {
  it('DS-122 overrides its values, a later one those of an earlier one, and the outcome makes the token call', async () => {
    await store('subaccount', {
      ...http('d', {
        Authentication: 'OAuth2ClientCredentials',
        clientId: 'one',
        clientSecret: 's',
        tokenServiceURL: 'http://127.0.0.1:1/',
      }),
      Kept: 'destination',
      Both: 'destination',
    })
    await store('subaccount', { FragmentName: 'f1', tokenServiceURL: tokenServer.url, clientId: 'two', Both: 'f1', Only1: 'f1' })
    await store('subaccount', { FragmentName: 'f2', clientId: 'three', Both: 'f2' })
    const { configuration } = await find('/v1/destinations/d', 'f1, f2')
    expect(configuration).toMatchObject({ Kept: 'destination', Both: 'f2', Only1: 'f1', clientId: 'three' })
    expect(tokenServer.calls.map((call) => call.form.get('client_id'))).toEqual(['three'])
    expect((await find('/v1/destinations/d', 'f2,f1')).configuration).toMatchObject({ Both: 'f1', clientId: 'two' })
    expect(tokenServer.calls.map((call) => call.form.get('client_id'))).toEqual(['three', 'two'])
  })

  it('DS-123 leaves its name in the answer and the stored destination as it was', async () => {
    await store('subaccount', http('d'))
    for (const FragmentName of ['f1', 'f2'])
      await store('subaccount', { FragmentName, URL: 'http://other', Authentication: 'NoAuthentication' })
    const before = await running.call('GET', '/v1/subaccountDestinations/d')
    expect((await find('/v1/destinations/d', ' f1 , f2 ')).configuration).toMatchObject({
      Name: 'd',
      FragmentName: 'f1,f2',
      URL: 'http://other',
    })
    expect((await find('/v1/destinations/d', 'f1')).configuration).toMatchObject({ FragmentName: 'f1' })
    const after = await running.call('GET', '/v1/subaccountDestinations/d')
    expect(after.json).toEqual(before.json)
    expect(after.headers.get('etag')).toBe(before.headers.get('etag'))
    expect((await find('/v1/destinations/d')).configuration).not.toHaveProperty('FragmentName')
  })

  it('gives the answer an ETag of its own, which changes with the fragment', async () => {
    await store('subaccount', http('d'))
    await store('subaccount', { FragmentName: 'f', A: '1' })
    const plain = await find('/v1/destinations/d')
    const merged = await find('/v1/destinations/d', 'f')
    expect(plain.etag).toBe((await running.call('GET', '/v1/subaccountDestinations/d')).headers.get('etag'))
    expect(merged.etag).not.toBe(plain.etag)
    expect((await find('/v1/destinations/d', 'f', { 'if-none-match': merged.etag ?? '' })).status).toBe(304)
    await running.call('PUT', '/v1/subaccountDestinationFragments', { body: { FragmentName: 'f', A: '2' } })
    expect((await find('/v1/destinations/d', 'f', { 'if-none-match': merged.etag ?? '' })).status).toBe(200)
    expect((await find('/v1/destinations/d', 'f', { 'if-match': merged.etag ?? '' })).status).toBe(412)
  })

  it('DS-124 is refused when it is missing, unless it is a single optional one; then the plain destination', async () => {
    await store('subaccount', http('d'))
    const missing = { status: 404, problem: "The fragment with the specified name 'f' was not found" }
    expect(await find('/v1/destinations/d', 'f')).toMatchObject(missing)
    expect(await find('/v1/destinations/d', 'f', { 'x-fragment-optional': 'false' })).toMatchObject(missing)
    const plain = await find('/v1/destinations/d', 'f', { 'x-fragment-optional': 'TRUE' })
    expect(plain).toMatchObject({ status: 200, configuration: http('d') })
    expect(plain.configuration).not.toHaveProperty('FragmentName')
    await store('subaccount', { FragmentName: 'f', URL: 'http://f' })
    const found = await find('/v1/destinations/d', 'f', { 'x-fragment-optional': 'true' })
    expect(found.configuration).toMatchObject({ FragmentName: 'f', URL: 'http://f' })
    expect(await find('/v1/destinations/unknown', 'f')).toMatchObject({
      status: 404,
      problem: 'Configuration with the specified name was not found',
    })
  })

  it('DS-125 is not optional beside others', async () => {
    await store('subaccount', http('d'))
    await store('subaccount', { FragmentName: 'f' })
    for (const optional of ['true', 'false']) {
      for (const names of ['f,g', 'g,f', 'f,f,g']) {
        expect(await find('/v1/destinations/d', names, { 'x-fragment-optional': optional })).toMatchObject({
          status: 404,
          problem: "The fragment with the specified name 'g' was not found",
        })
      }
    }
  })

  it('DS-126 lives on the level where v1 has found the destination', async () => {
    await store('subaccount', http('sa'))
    await store('instance', http('si'))
    await store('subaccount', { FragmentName: 'of-sa', From: 'sa' })
    await store('instance', { FragmentName: 'of-si', From: 'si' })
    expect((await find('/v1/destinations/sa', 'of-sa')).configuration).toMatchObject({ From: 'sa' })
    expect((await find('/v1/destinations/si', 'of-si')).configuration).toMatchObject({ From: 'si' })
    expect((await find('/v1/destinations/sa', 'of-si')).status).toBe(404)
    expect((await find('/v1/destinations/si', 'of-sa')).status).toBe(404)
    expect((await find('/v1/destinations/sa', 'of-si@instance')).status).toBe(404)
  })

  it('cannot come in thousands, nor in a repeated header', async () => {
    await store('subaccount', http('d'))
    expect((await find('/v1/destinations/d', Array.from({ length: 21 }, (_, at) => `f${at}`).join(','))).status).toBe(400)
    const twice = await rawFind('/v1/destinations/d', ['X-Fragment-Name: a', 'x-fragment-name: b'])
    expect(twice).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('a fragment with a level', () => {
  const words = ['subaccount', 'instance', 'provider_subaccount', 'provider_instance'] as const

  /** One destination and one fragment on each of the four levels of a subscriber; the fragment says where it is from. */
  async function fillLevels(): Promise<string> {
    const token = running.token({ subaccount: subscriber })
    for (const level of ['subaccount', 'instance'] as const) {
      for (const [prefix, owner] of [
        ['', token],
        ['provider_', running.token()],
      ] as const) {
        await store(level, http('d', { From: `${prefix}${level}` }), owner)
        await store(level, { FragmentName: 'f', Fragment: `${prefix}${level}` }, owner)
      }
    }
    return token
  }

  it('DS-059 goes for a subscriber only with a destination on the same side of its own subaccount', async () => {
    const token = await fillLevels()
    for (const destination of words) {
      for (const fragment of words) {
        const allowed = destination === fragment || (destination !== 'subaccount' && fragment !== 'subaccount')
        const expected = allowed
          ? { status: 200, configuration: { From: destination, Fragment: fragment } }
          : {
              status: 400,
              problem: `A fragment of the level ${fragment} cannot be combined with a destination of the level ${destination}`,
            }
        expect(await find(`/v2/destinations/d@${destination}`, `f@${fragment}`, {}, token)).toMatchObject(expected)
      }
      const both = await find(`/v2/destinations/d@${destination}`, 'f,f@subaccount', {}, token)
      expect(both.status).toBe(destination === 'subaccount' ? 200 : 400)
    }
  })

  it('DS-060 goes for a provider with any destination', async () => {
    await fillLevels()
    for (const destination of words) {
      for (const fragment of words) {
        const { configuration } = await find(`/v2/destinations/d@${destination}`, `f@${fragment}`)
        const plain = (word: string): string => `provider_${word.replace('provider_', '')}`
        expect(configuration).toMatchObject({ From: plain(destination), Fragment: plain(fragment) })
      }
    }
  })

  it('is that of the destination when it names none, and must be one that exists', async () => {
    const token = await fillLevels()
    for (const word of words) {
      expect((await find(`/v2/destinations/d@${word}`, 'f', {}, token)).configuration).toMatchObject({ Fragment: word })
    }
    expect((await find('/v2/destinations/d', 'f', {}, token)).configuration).toMatchObject({ Fragment: 'instance' })
    expect((await find('/v2/destinations/d', 'f@space', {}, token)).status).toBe(400)
    expect((await find('/v2/destinations/d', 'g@instance', {}, token)).problem).toBe(
      "The fragment with the specified name 'g' was not found",
    )
  })

  it('DS-056 is listed with its owner, beside destination and certificates, when owners are asked for', async () => {
    await store(
      'subaccount',
      http('d', { KeyStoreLocation: 'key.p12', TrustStoreLocation: 'ca.pem', 'tokenService.KeyStoreLocation': 'missing.pem' }),
    )
    await store('instance', { FragmentName: 'f' })
    const certificate = (name: string) => ({
      name,
      properties: { Name: name, Type: 'CERTIFICATE', Content: 'eA==' },
      sharedWithSubscriber: false,
    })
    const options = { nowMs: 1, maxPerSubaccount: 10 }
    await running.repository.create(
      'certificate',
      { subaccountId: providerSubaccount, instanceId: null },
      ['key.p12', 'ca.pem'].map(certificate),
      options,
    )
    await running.repository.create('certificate', { subaccountId: providerSubaccount, instanceId }, [certificate('ca.pem')], options)
    const owner = { SubaccountId: providerSubaccount, InstanceId: null }
    const ask = async (name: string): Promise<unknown> =>
      (await find(`/v2/destinations/${name}?$includeMetadata=owner&$skipTokenRetrieval=true`, 'f@instance')).configuration['$metadata']
    expect(await ask('d@subaccount')).toEqual({
      owner: {
        destinations: [{ Name: 'd', ...owner }],
        certificates: [
          { Name: 'key.p12', ...owner },
          { Name: 'ca.pem', ...owner },
        ],
        fragments: [{ FragmentName: 'f', SubaccountId: providerSubaccount, InstanceId: instanceId }],
      },
    })
    await store('instance', http('d', { KeyStoreLocation: 'key.p12', TrustStoreLocation: 'ca.pem' }))
    expect(await ask('d@instance')).toMatchObject({
      owner: {
        certificates: [
          { Name: 'key.p12', InstanceId: null },
          { Name: 'ca.pem', InstanceId: instanceId },
        ],
      },
    })
  })

  it('has an ETag that a change of a certificate changes', async () => {
    await store('subaccount', http('d', { TrustStoreLocation: 'ca.pem' }))
    const level = { subaccountId: providerSubaccount, instanceId: null }
    const write = (Content: string) => ({
      name: 'ca.pem',
      properties: { Name: 'ca.pem', Type: 'CERTIFICATE', Content },
      sharedWithSubscriber: false,
    })
    const path = '/v2/destinations/d@subaccount?$skipTokenRetrieval=true'
    const etags = [(await find(path)).etag]
    await running.repository.create('certificate', level, [write('eA==')], { nowMs: 1, maxPerSubaccount: 10 })
    etags.push((await find(path)).etag)
    await running.repository.replace('certificate', level, [write('eQ==')], { nowMs: 2 })
    etags.push((await find(path)).etag)
    expect(new Set(etags).size).toBe(3)
    expect((await find(path)).etag).toBe(etags[2])
  })
})

/** Sends headers as they are written, which `fetch` would merge. */
async function rawFind(path: string, headers: readonly string[]): Promise<string> {
  const { connect } = await import('node:net')
  const { hostname, port } = new URL(running.url)
  const socket = connect(Number(port), hostname)
  const lines = [
    `GET /destination-configuration${path} HTTP/1.1`,
    'Host: x',
    'Connection: close',
    `Authorization: Bearer ${running.token({ client: clientId })}`,
    ...headers,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}
