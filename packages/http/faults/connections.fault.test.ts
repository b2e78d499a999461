import {
  type ConnectContext,
  createSecret,
  type HttpDestination,
  parseDestination,
  type Principal,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createForwardProxy, createHttpBackend } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createHttpAdapter, type HttpClient } from '../src/index.ts'

const onPremise = (properties: Readonly<Record<string, string>> = {}): HttpDestination =>
  parseDestination({ Name: 'ERP', Type: 'HTTP', URL: 'http://erp.virtual:8000', ProxyType: 'OnPremise', ...properties }) as HttpDestination
const user = (name: string): Principal => ({ kind: 'business', token: createSecret(`token.of.${name}`) })
const context = (changes: Partial<ConnectContext> = {}): ConnectContext => ({
  dial: createDirectDial(),
  credentials: { kind: 'none' },
  signal: AbortSignal.timeout(10_000),
  log: silentLogger,
  ...changes,
})
const get = async (client: HttpClient, principal?: Principal): Promise<number> => {
  const response = await client.request('/x', principal === undefined ? {} : { principal })
  await response.text()
  return response.status
}

async function openProxy() {
  const backend = await createHttpBackend({ answer: ({ headers }) => ({ body: String(headers['x-test-principal']) }) })
  const proxy = await createForwardProxy({ tokens: ['t1', 't2'], route: () => backend.address })
  return {
    backend,
    proxy,
    adapter: (tenant: string) =>
      createHttpAdapter({ clock: systemClock, proxy: { address: proxy.address, tenant, token: async () => createSecret(tenant) } }),
    /** Connections on which requests with this header value arrived. */
    connections: (header: string, value: string | undefined) =>
      new Set(proxy.requests.filter(({ headers }) => headers[header] === value).map(({ connection }) => connection)),
    async [Symbol.asyncDispose]() {
      await Promise.all([backend[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
    },
  }
}

describe('connections through a proxy', () => {
  it('PR-017 are never shared between users or tenants, and are reused for one', async () => {
    await using world = await openProxy()
    const clients = await Promise.all(
      ['t1', 't2'].map((tenant) =>
        world.adapter(tenant).connect(onPremise(), context({ credentials: { kind: 'principal' }, principal: user('ann') })),
      ),
    )
    for (let round = 0; round < 3; round++) {
      for (const client of clients)
        for (const principal of [undefined, user('bob'), user('cid')]) expect(await get(client, principal)).toBe(200)
    }
    await Promise.all(
      clients.flatMap((client) => [user('ann'), user('bob'), user('ann'), user('bob')].map((principal) => get(client, principal))),
    )
    const owners = new Map<number, Set<string>>()
    for (const { connection, headers } of world.proxy.requests) {
      const owner = `${headers['proxy-authorization']} ${String(headers['sap-connectivity-authentication'])}`
      owners.set(connection, (owners.get(connection) ?? new Set()).add(owner))
    }
    expect([...owners.values()].filter((set) => set.size > 1)).toEqual([])
    expect(new Set([...owners.values()].flatMap((set) => [...set])).size).toBe(6)
    // Three rounds of six and eight at once: without reuse there would be 26.
    expect(owners.size).toBeLessThanOrEqual(6 + 4)
    for (const client of clients) await client[Symbol.asyncDispose]()
    await world.proxy.idle()
  })

  it('are not shared between location IDs and virtual hosts, which a proxy would refuse', async () => {
    await using world = await openProxy()
    const adapter = world.adapter('t1')
    const destinations = [onPremise(), onPremise({ CloudConnectorLocationId: 'orlando' }), onPremise({ URL: 'http://crm.virtual:8000' })]
    const clients = await Promise.all(destinations.map((destination) => adapter.connect(destination, context())))
    for (const client of [...clients, ...clients]) expect(await get(client)).toBe(200)
    expect(new Set(world.proxy.requests.map(({ connection }) => connection)).size).toBe(3)
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
  })

  it('carry absolute-form requests with the virtual host, byte for byte', async () => {
    await using world = await openProxy()
    const client = await world
      .adapter('t1')
      .connect(
        onPremise({ CloudConnectorLocationId: 'orlando', URL: 'http://Erp.Virtual/base' }),
        context({ principal: user('ann'), credentials: { kind: 'principal' } }),
      )
    await client.request("/a%20b/('x')?$top=1", { method: 'MERGE', body: 'x' })
    expect(world.proxy.requests[0]).toMatchObject({
      method: 'MERGE',
      target: "http://erp.virtual/base/a%20b/('x')?$top=1",
      headers: {
        host: 'erp.virtual',
        'proxy-authorization': 'Bearer t1',
        'sap-connectivity-scc-location_id': 'orlando',
        'sap-connectivity-authentication': 'Bearer token.of.ann',
      },
    })
    expect(world.proxy.requests[0]?.headers).not.toHaveProperty('authorization')
    await client[Symbol.asyncDispose]()
  })

  it('get the token that is current; a refused one is forgotten, and the request goes once more', async () => {
    await using world = await openProxy()
    const tokens = ['old', 't1', 'old', 'old', 't1']
    const forgotten: string[] = []
    const adapter = createHttpAdapter({
      clock: systemClock,
      proxy: {
        address: world.proxy.address,
        tenant: 't1',
        token: async () => createSecret(tokens.shift() ?? ''),
        forget: (token) => forgotten.push(token.reveal()),
      },
    })
    const client = await adapter.connect(onPremise(), context())
    expect([await get(client), await get(client)]).toEqual([200, 407])
    expect([forgotten, tokens]).toEqual([['old', 'old', 'old'], ['t1']])
    await client[Symbol.asyncDispose]()
  })

  it.each([
    [407, 'PROXY_AUTHORIZATION_REQUIRED'],
    [403, 'ACCESS_DENIED'],
    [503, 'CONNECTOR_NOT_CONNECTED'],
    [504, 'BACKEND_TIMEOUT'],
    [500, 'SERVICE_UNAVAILABLE'],
    [400, 'MESSAGE_INVALID'],
  ])('that a proxy refuses with %s fail a ping with a code, and a request has the status', async (status, code) => {
    await using proxy = await createForwardProxy({ tokens: ['t'], route: () => status })
    const adapter = createHttpAdapter({
      clock: systemClock,
      proxy: { address: proxy.address, tenant: 't', token: async () => createSecret('t') },
    })
    const client = await adapter.connect(onPremise(), context())
    await expect(client.ping(AbortSignal.timeout(5000))).rejects.toMatchObject({ code })
    expect(await get(client)).toBe(status)
    await client[Symbol.asyncDispose]()
  })

  it('are not opened for an https URL, without a token, or for a principal that nobody has', async () => {
    await using proxy = await createForwardProxy({ tokens: ['t'], route: () => 500 })
    const adapterOf = (token: () => Promise<ReturnType<typeof createSecret<string>>>) =>
      createHttpAdapter({ clock: systemClock, proxy: { address: proxy.address, tenant: 't', token } })
    const good = adapterOf(async () => createSecret('t'))
    await expect(good.connect(onPremise({ URL: 'https://erp.virtual' }), context())).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
    await expect(good.connect(onPremise({ CloudConnectorLocationId: 'a\r\nX: y' }), context())).rejects.toMatchObject({
      code: 'DESTINATION_INVALID',
    })
    const tokenless = await adapterOf(() => Promise.reject(new Error('none'))).connect(onPremise(), context())
    await expect(tokenless.request('/')).rejects.toMatchObject({ code: 'TOKEN_NOT_ISSUED' })
    const slow = await adapterOf(() => new Promise(() => {})).connect(onPremise(), context())
    await expect(slow.request('/', { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    expect(proxy.requests).toEqual([])
  })

  it('lose the principal in no other way either: a stream dial gets it or refuses it', async () => {
    const client = await createHttpAdapter({ clock: systemClock }).connect(
      onPremise(),
      context({ credentials: { kind: 'principal' }, principal: user('ann') }),
    )
    await expect(client.request('/')).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
    await client[Symbol.asyncDispose]()
  })
})
