import { ConnectivityError, createSecret } from '@sallyport/core'
import { createHttpBackend, createManualClock, createSocketNetwork, type HttpAnswer, type SeenRequest } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createDestinationClient, createTokenSource, type DestinationClient, type OAuthClient } from '../src/index.ts'

const json = (body: unknown, status = 200): HttpAnswer => ({
  status,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})
const found = json({ destinationConfiguration: { Name: 'ERP', Type: 'HTTP', URL: 'http://erp', ProxyType: 'Internet' } })
const token = json({ access_token: 'token', token_type: 'bearer', expires_in: 43_200 })

async function openWorld(options: { readonly circuitOpenMs?: number; readonly cacheMs?: number } = {}) {
  const clock = createManualClock()
  const state = { find: (_request: SeenRequest): HttpAnswer => found, token: (): HttpAnswer => token }
  const backend = await createHttpBackend({
    answer: (request) => (request.target === '/oauth/token' ? state.token() : state.find(request)),
  })
  const oauth: OAuthClient = {
    clientId: 'sb-client',
    proof: { kind: 'secret', secret: createSecret('secret') },
    tokenUrl: new URL('/oauth/token', backend.url),
    domain: undefined,
  }
  const client = createDestinationClient({
    binding: { client: oauth, uri: new URL(backend.url) },
    clock,
    random: () => 0,
    cacheMs: 0,
    ...options,
  })
  // Pauses between repetitions are 100 and 200 ms: short enough not to matter to a circuit.
  const passing = setInterval(() => clock.advance(100), 1)
  return {
    clock,
    state,
    client,
    oauth,
    requests: (target = '/destination-configuration') => backend.requests.filter((request) => request.target.startsWith(target)).length,
    async [Symbol.asyncDispose]() {
      clearInterval(passing)
      await client[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
    },
  }
}

const outcome = async (client: DestinationClient, tenant?: string): Promise<string> => {
  try {
    await client.find('ERP', tenant === undefined ? {} : { tenant })
    return 'found'
  } catch (error) {
    if (!ConnectivityError.is(error)) throw error
    return error.details?.['circuit'] === 'open' ? 'open' : error.code
  }
}
const outcomes = async (client: DestinationClient, count: number): Promise<readonly string[]> => {
  const list: string[] = []
  for (let at = 0; at < count; at++) list.push(await outcome(client))
  return list
}

describe('a circuit', () => {
  it('opens when half of ten calls have failed, and spares the service for thirty seconds', async () => {
    await using world = await openWorld()
    expect(await outcomes(world.client, 5)).toEqual(Array(5).fill('found'))
    world.state.find = () => json({}, 503)
    expect(await outcomes(world.client, 4)).toEqual(Array(4).fill('SERVICE_UNAVAILABLE'))
    world.state.find = () => found
    expect(await outcome(world.client)).toBe('found')
    world.state.find = () => json({}, 503)
    expect(await outcome(world.client)).toBe('SERVICE_UNAVAILABLE')
    const before = world.requests()
    expect(await outcomes(world.client, 3)).toEqual(Array(3).fill('open'))
    expect(world.requests()).toBe(before)
  })

  it('lets one call through afterwards; it closes when that one succeeds and stays open when it fails', async () => {
    await using world = await openWorld()
    world.state.find = () => json({}, 500)
    await outcomes(world.client, 10)
    expect(await outcome(world.client)).toBe('open')
    world.clock.advance(30_000)
    const before = world.requests()
    const [trial, other] = await Promise.all([outcome(world.client), outcome(world.client)])
    expect([trial, other]).toEqual(['SERVICE_UNAVAILABLE', 'SERVICE_UNAVAILABLE'])
    expect(world.requests()).toBe(before + 3)
    expect(await outcome(world.client)).toBe('open')
    world.clock.advance(30_000)
    world.state.find = () => found
    expect(await outcomes(world.client, 2)).toEqual(['found', 'found'])
    world.state.find = () => json({}, 500)
    expect(await outcomes(world.client, 9)).toEqual(Array(9).fill('SERVICE_UNAVAILABLE'))
  })

  it('belongs to one tenant', async () => {
    await using world = await openWorld()
    world.state.find = () => json({}, 500)
    await outcomes(world.client, 10)
    expect(await outcome(world.client)).toBe('open')
    world.state.find = () => found
    expect(await outcome(world.client, 'other')).toBe('found')
  })

  it('does not count refusals: they are answers', async () => {
    await using world = await openWorld()
    world.state.find = () => json({ ErrorMessage: 'Configuration with the specified name was not found' }, 404)
    expect(await outcomes(world.client, 12)).toEqual(Array(12).fill('DESTINATION_NOT_FOUND'))
  })

  it('also stands before the token service', async () => {
    await using world = await openWorld()
    world.state.token = () => json({}, 500)
    expect(await outcomes(world.client, 10)).toEqual(Array(10).fill('SERVICE_UNAVAILABLE'))
    const before = world.requests('/oauth/token')
    expect(await outcome(world.client)).toBe('open')
    expect(world.requests('/oauth/token')).toBe(before)
  })

  it('can be switched off', async () => {
    await using world = await openWorld({ circuitOpenMs: 0 })
    world.state.find = () => json({}, 500)
    expect(await outcomes(world.client, 12)).toEqual(Array(12).fill('SERVICE_UNAVAILABLE'))
  })

  it('does not stand in the way of an older answer', async () => {
    await using world = await openWorld({ cacheMs: 1 })
    expect(await outcome(world.client)).toBe('found')
    world.state.find = () => json({}, 503)
    for (let at = 0; at < 12; at++) {
      world.clock.advance(10_001)
      expect(await outcome(world.client)).toBe('found')
    }
  })
})

it('a connection that does not come about is given up long before the answer would be', async () => {
  await using network = createSocketNetwork()
  const { port } = await network.serve(() => {})
  await using world = await openWorld()
  const client: OAuthClient = { ...world.oauth, tokenUrl: new URL(`https://127.0.0.1:${port}/oauth/token`) }
  await using tokens = createTokenSource({ client, clock: world.clock, random: () => 0, connectTimeoutMs: 50, timeoutMs: 10_000 })
  const begun = performance.now()
  await expect(tokens.get()).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    message: expect.stringContaining('no connection within 0.05 s'),
  })
  expect(performance.now() - begun).toBeLessThan(5000)
})
