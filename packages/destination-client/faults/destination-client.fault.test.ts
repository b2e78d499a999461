import { inspect } from 'node:util'
import { ConnectivityError, createSecret, type Logger, silentLogger } from '@sallyport/core'
import {
  createHttpBackend,
  createManualClock,
  createSocketNetwork,
  createTestCa,
  type HttpAnswer,
  type HttpBackend,
  type SeenRequest,
} from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import {
  createDestinationClient,
  type DestinationClient,
  type DestinationClientOptions,
  createTokenSource,
  type FlowInput,
  type OAuthClient,
} from '../src/index.ts'

const clientSecret = 'cl1ent-s3cret'
const serviceToken = (tenant: string, serial: number): string => `service-token.${tenant}.${serial}`
const configuration = {
  Name: 'ERP',
  Type: 'HTTP',
  URL: 'http://erp.virtual:8000',
  ProxyType: 'OnPremise',
  Authentication: 'NoAuthentication',
}
const json = (body: unknown, status = 200): HttpAnswer => ({
  status,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})

/** A token service and a destination service on one port; what each answers can be replaced. */
interface World extends AsyncDisposable {
  readonly backend: HttpBackend
  readonly clock: ReturnType<typeof createManualClock>
  readonly log: { readonly lines: unknown[]; readonly logger: Logger }
  token: (request: SeenRequest) => HttpAnswer | undefined
  destination: (request: SeenRequest) => HttpAnswer | undefined
  client(options?: Partial<DestinationClientOptions>): DestinationClient
  tokenRequests(): readonly SeenRequest[]
  findRequests(): readonly SeenRequest[]
}

async function openWorld(): Promise<World> {
  const clock = createManualClock()
  let serial = 0
  const backend = await createHttpBackend({
    answer: (request) => (request.target === '/oauth/token' ? world.token(request) : world.destination(request)),
  })
  const lines: unknown[] = []
  const logger: Logger = { ...silentLogger, warn: (fields, message) => void lines.push({ ...fields, message }) }
  const clients: DestinationClient[] = []
  const oauth: OAuthClient = {
    clientId: 'sb-client!b1|x',
    proof: { kind: 'secret', secret: createSecret(clientSecret) },
    tokenUrl: new URL('/oauth/token', backend.url),
    domain: undefined,
  }
  const world: World = {
    backend,
    clock,
    log: { lines, logger },
    token: (request) =>
      json({ access_token: serviceToken(String(request.headers['x-zid'] ?? 'own'), ++serial), token_type: 'Bearer', expires_in: 3600 }),
    destination: () => json({ owner: { SubaccountId: 's', InstanceId: null }, destinationConfiguration: configuration }),
    client(options = {}) {
      const client = createDestinationClient({
        binding: { client: oauth, uri: new URL(backend.url) },
        clock,
        log: logger,
        random: () => 0,
        ...options,
      })
      clients.push(client)
      return client
    },
    tokenRequests: () => backend.requests.filter(({ target }) => target === '/oauth/token'),
    findRequests: () => backend.requests.filter(({ target }) => target !== '/oauth/token'),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
      await backend[Symbol.asyncDispose]()
    },
  }
  return world
}

/** Lets the pauses between repetitions pass as soon as somebody waits for them. */
function skipPauses(world: World): () => void {
  const timer = setInterval(() => world.clock.advance(1000), 1)
  return () => clearInterval(timer)
}

const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await work.then(
    () => 'nothing was thrown',
    (reason: unknown) => reason,
  )
  const shown = inspect(error, { depth: 12, showHidden: true })
  for (const secret of [clientSecret, 'service-token.', 'user.token.secret'])
    expect(shown, 'a secret is visible in the error').not.toContain(secret)
  return ConnectivityError.is(error) ? error.code : error
}

describe('the requests', () => {
  it('are one for a token and one for the destination, as documented', async () => {
    await using world = await openWorld()
    const found = await world.client().find('ERP / 100%?', { userToken: createSecret('user.token.secret') })
    expect(found.destination).toMatchObject({ name: 'ERP', type: 'HTTP' })
    const [token, find] = world.backend.requests
    expect(token).toMatchObject({ method: 'POST', target: '/oauth/token' })
    expect(token?.headers['content-type']).toBe('application/x-www-form-urlencoded')
    expect(Object.fromEntries(new URLSearchParams(token?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'sb-client!b1|x',
      client_secret: clientSecret,
    })
    expect(find).toMatchObject({ method: 'GET', target: '/destination-configuration/v1/destinations/ERP%20%2F%20100%25%3F' })
    expect(find?.headers['authorization']).toBe(`Bearer ${serviceToken('own', 1)}`)
    expect(find?.headers['x-user-token']).toBe('user.token.secret')
  })
  it('keep the path of the uri and go without a user token when there is none', async () => {
    await using world = await openWorld()
    const { client } = { client: createTokenClient(world) }
    await using finder = createDestinationClient({ binding: { client, uri: new URL(`${world.backend.url}/prefix/`) }, clock: world.clock })
    await finder.find('A')
    expect(world.findRequests()[0]?.target).toBe('/prefix/destination-configuration/v1/destinations/A')
    expect(world.findRequests()[0]?.headers).not.toHaveProperty('x-user-token')
  })
  it('present a certificate and no secret where the binding has one, and trust the given authority only in addition', async () => {
    const ca = createTestCa()
    const server = ca.issue({ subject: '/CN=localhost' })
    const client = ca.issue({ subject: '/CN=the-client' })
    await using backend = await createHttpBackend({
      tls: { ...server, clientCa: ca.certificate },
      answer: () => json({ access_token: 't', token_type: 'bearer', expires_in: 100 }),
    })
    const oauth: OAuthClient = {
      clientId: 'c',
      proof: { kind: 'certificate', certificate: client.certificate, key: createSecret(client.key) },
      tokenUrl: new URL('/oauth/token', backend.url),
      domain: undefined,
    }
    await using tokens = createTokenSource({ client: oauth, clock: createManualClock(), ca: [ca.certificate] })
    expect((await tokens.get()).reveal()).toBe('t')
    expect(backend.requests[0]?.peer).toBe('the-client')
    expect(backend.requests[0]?.body).toBe('grant_type=client_credentials&client_id=c')
    await using untrusting = createTokenSource({ client: oauth, clock: createManualClock() })
    expect(await codeOf(untrusting.get())).toBe('PEER_UNTRUSTED')
    await using other = createTokenSource({
      client: oauth,
      clock: createManualClock(),
      ca: [createTestCa({ subject: '/CN=Other CA' }).certificate],
    })
    expect(await codeOf(other.get())).toBe('PEER_UNTRUSTED')
  })
  it('are not made with a certificate that cannot be read', async () => {
    const oauth: OAuthClient = {
      clientId: 'c',
      proof: { kind: 'certificate', certificate: 'no PEM', key: createSecret(clientSecret) },
      tokenUrl: new URL('https://127.0.0.1:1/oauth/token'),
      domain: undefined,
    }
    await using tokens = createTokenSource({ client: oauth, clock: createManualClock() })
    expect(await codeOf(tokens.get())).toBe('BINDING_INVALID')
  })
  it('go to uaadomain over https with x-zid for another tenant', async () => {
    const ca = createTestCa()
    await using backend = await createHttpBackend({
      tls: ca.issue({ subject: '/CN=localhost' }),
      answer: () => json({ access_token: 't', token_type: 'Bearer', expires_in: 100 }),
    })
    const oauth: OAuthClient = {
      clientId: 'c',
      proof: { kind: 'secret', secret: createSecret('s') },
      tokenUrl: new URL('http://127.0.0.1:1/oauth/token'),
      domain: `localhost:${backend.address.port}`,
    }
    await using tokens = createTokenSource({ client: oauth, clock: createManualClock(), ca: [ca.certificate] })
    await tokens.get({ tenant: 'subscriber-1' })
    expect(backend.requests[0]).toMatchObject({ target: '/oauth/token', headers: { 'x-zid': 'subscriber-1' } })
  })
})

function createTokenClient(world: World): OAuthClient {
  return {
    clientId: 'c',
    proof: { kind: 'secret', secret: createSecret(clientSecret) },
    tokenUrl: new URL('/oauth/token', world.backend.url),
    domain: undefined,
  }
}

describe('the token cache', () => {
  it('renews shortly before the end, keeps tenants apart and lets concurrent calls share one request', async () => {
    await using world = await openWorld()
    await using tokens = createTokenSource({ client: createTokenClient(world), clock: world.clock })
    const get = async (tenant?: string): Promise<string> => (await tokens.get(tenant === undefined ? {} : { tenant })).reveal()
    expect(new Set(await Promise.all([get(), get(), get()])).size).toBe(1)
    expect(await get('t1')).toContain('.t1.')
    expect(await get('t2')).toContain('.t2.')
    expect(world.tokenRequests()).toHaveLength(3)
    world.clock.advance(3_539_000)
    await get()
    expect(world.tokenRequests()).toHaveLength(3)
    world.clock.advance(1000)
    await get()
    expect(world.tokenRequests()).toHaveLength(4)
  })
  it('bridges an outage with a token that is still valid, and no longer', async () => {
    await using world = await openWorld()
    await using tokens = createTokenSource({ client: createTokenClient(world), clock: world.clock, random: () => 0 })
    const first = await tokens.get()
    world.token = () => json({}, 503)
    world.clock.advance(3_545_000)
    const stop = skipPauses(world)
    expect(await tokens.get()).toBe(first)
    world.clock.advance(60_000)
    expect(await codeOf(tokens.get())).toBe('SERVICE_UNAVAILABLE')
    stop()
  })
  it('forgets the token that is named and no newer one', async () => {
    await using world = await openWorld()
    await using tokens = createTokenSource({ client: createTokenClient(world), clock: world.clock })
    const first = await tokens.get()
    tokens.forget(first)
    const second = await tokens.get()
    expect(second.reveal()).not.toBe(first.reveal())
    tokens.forget(first)
    expect(await tokens.get()).toBe(second)
  })
  it.each([
    ['a 401', json({ error: 'invalid_client', error_description: clientSecret }, 401), 'TOKEN_NOT_ISSUED'],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'TOKEN_NOT_ISSUED'],
    ['no JSON', { body: '<html>' }, 'PROTOCOL_VIOLATION'],
    ['no token', json({ token_type: 'bearer', expires_in: 1 }), 'PROTOCOL_VIOLATION'],
    [
      'a token that would break out of a header',
      json({ access_token: 'a\r\nX: y', token_type: 'bearer', expires_in: 1 }),
      'PROTOCOL_VIOLATION',
    ],
    ['another type of token', json({ access_token: 'a', token_type: 'mac', expires_in: 1 }), 'PROTOCOL_VIOLATION'],
    ['no life time', json({ access_token: 'a', token_type: 'bearer' }), 'PROTOCOL_VIOLATION'],
    ['a dead token', json({ access_token: 'a', token_type: 'bearer', expires_in: 0 }), 'PROTOCOL_VIOLATION'],
    ['too much', { body: 'x'.repeat(300_000) }, 'PROTOCOL_VIOLATION'],
  ] satisfies [string, HttpAnswer, string][])('is not fooled by %s', async (_what, answer, code) => {
    await using world = await openWorld()
    world.token = () => answer
    expect(await codeOf(world.client().find('ERP'))).toBe(code)
    expect(world.tokenRequests()).toHaveLength(1)
  })
})

describe('the destination cache', () => {
  it('answers for five minutes, then asks again; fresh asks at once', async () => {
    await using world = await openWorld()
    const client = world.client()
    await client.find('ERP')
    world.clock.advance(299_000)
    await client.find('ERP')
    expect(world.findRequests()).toHaveLength(1)
    await client.find('ERP', { fresh: true })
    expect(world.findRequests()).toHaveLength(2)
    world.clock.advance(300_000)
    await client.find('ERP')
    expect(world.findRequests()).toHaveLength(3)
    client.forget('OTHER')
    await client.find('ERP')
    expect(world.findRequests()).toHaveLength(3)
    client.forget('ERP')
    await client.find('ERP')
    expect(world.findRequests()).toHaveLength(4)
  })
  it('lets concurrent calls share one request, and one that leaves does not end it for the others', async () => {
    await using world = await openWorld()
    const client = world.client()
    const controller = new AbortController()
    const leaving = codeOf(client.find('ERP', { signal: controller.signal }))
    const staying = [client.find('ERP'), client.find('ERP')]
    controller.abort()
    expect(await leaving).toBe('ABORTED')
    await Promise.all(staying)
    expect(world.findRequests()).toHaveLength(1)
  })
  it('never answers one tenant with what it found for another', async () => {
    await using world = await openWorld()
    world.destination = ({ headers }) =>
      json({ destinationConfiguration: { ...configuration, URL: `http://${String(headers.authorization).split('.')[1]}.virtual` } })
    const client = world.client()
    const hosts = await Promise.all(
      ['t1', 't2', undefined, 't1'].map(
        async (tenant) => (await client.find('ERP', tenant === undefined ? {} : { tenant })).destination.properties['URL'],
      ),
    )
    expect(hosts).toEqual(['http://t1.virtual', 'http://t2.virtual', 'http://own.virtual', 'http://t1.virtual'])
    world.clock.advance(1000)
    expect((await client.find('ERP', { tenant: 't2' })).destination.properties['URL']).toBe('http://t2.virtual')
    expect(world.findRequests()).toHaveLength(3)
  })
  it('keeps answers that depend on the user per user, and shares the others', async () => {
    await using world = await openWorld()
    world.destination = ({ target, headers }) =>
      target.endsWith('/USER')
        ? json({
            destinationConfiguration: { ...configuration, Authentication: 'OAuth2JWTBearer' },
            authTokens: [
              {
                type: 'Bearer',
                value: 'x',
                http_header: { key: 'Authorization', value: `Bearer for ${String(headers['x-user-token'])}` },
                expires_in: '3600',
              },
            ],
          })
        : json({ destinationConfiguration: configuration })
    const client = world.client()
    const token = async (user: string): Promise<string> => {
      const { credentials } = await client.find('USER', { userToken: createSecret(user) })
      return credentials.kind === 'header' ? credentials.value.reveal() : credentials.kind
    }
    expect([await token('ann'), await token('bob'), await token('ann')]).toEqual(['Bearer for ann', 'Bearer for bob', 'Bearer for ann'])
    expect(world.findRequests()).toHaveLength(2)
    await client.find('COMMON', { userToken: createSecret('ann') })
    await client.find('COMMON', { userToken: createSecret('bob') })
    await client.find('COMMON')
    expect(world.findRequests()).toHaveLength(3)
  })
  it('keeps tokens of a token service that tenants share per user, because the user decides the tenant', async () => {
    await using world = await openWorld()
    world.destination = ({ headers }) =>
      json({
        destinationConfiguration: { ...configuration, Authentication: 'OAuth2ClientCredentials', tokenServiceURLType: 'Common' },
        authTokens: [
          {
            type: 'Bearer',
            value: 'x',
            http_header: { key: 'Authorization', value: `Bearer for the tenant of ${String(headers['x-user-token'])}` },
            expires_in: '3600',
          },
        ],
      })
    const client = world.client()
    const token = async (user: string): Promise<string> => {
      const { credentials } = await client.find('SHARED', { userToken: createSecret(user) })
      return credentials.kind === 'header' ? credentials.value.reveal() : credentials.kind
    }
    // At the same time, so that they could share a request as well as an answer.
    expect(await Promise.all([token('ann'), token('bob')])).toEqual(['Bearer for the tenant of ann', 'Bearer for the tenant of bob'])
    expect(await token('ann')).toBe('Bearer for the tenant of ann')
    expect(world.findRequests()).toHaveLength(2)
  })
  it('never answers one user with the corporate token of another, nor with the lack of one', async () => {
    await using world = await openWorld()
    // As the service answers: only for users whose identity service forwards the token of a corporate provider.
    world.destination = ({ headers }) => {
      const user = String(headers['x-user-token'])
      const header = { key: 'SAP-Connectivity-Authentication', value: `Bearer corporate token of ${user}` }
      return json({
        destinationConfiguration: { ...configuration, Authentication: 'PrincipalPropagation' },
        ...(user === 'plain' ? {} : { authTokens: [{ type: 'Bearer', value: 'x', http_header: header }] }),
      })
    }
    const client = world.client()
    const seen = async (user: string): Promise<string> => {
      const { credentials } = await client.find('ONPREM', { userToken: createSecret(user) })
      return credentials.kind === 'header' ? credentials.value.reveal() : credentials.kind
    }
    const answers = []
    for (const user of ['plain', 'ann', 'bob', 'plain', 'ann', 'bob']) answers.push(await seen(user))
    const expected = ['principal', 'Bearer corporate token of ann', 'Bearer corporate token of bob']
    expect(answers).toEqual([...expected, ...expected])
    expect(world.findRequests()).toHaveLength(3)
  })
  it('keeps answers apart by what a flow was given, and sends all of it', async () => {
    await using world = await openWorld()
    world.destination = ({ headers }) =>
      json({
        destinationConfiguration: {
          ...configuration,
          URL: `http://${String(headers['x-tenant'] ?? headers['x-fragment-name'] ?? 'plain')}`,
        },
      })
    const client = world.client()
    const urlOf = async (flow?: FlowInput): Promise<unknown> =>
      (await client.find('ERP', flow === undefined ? {} : { flow })).destination.properties['URL']
    for (let round = 0; round < 2; round++) {
      expect(await urlOf()).toBe('http://plain')
      expect(await urlOf({ tenant: 'acme' })).toBe('http://acme')
      expect(await urlOf({ tenant: 'buyer' })).toBe('http://buyer')
      expect(await urlOf({ fragment: { name: 'part', optional: true } })).toBe('http://part')
    }
    expect(world.findRequests()).toHaveLength(4)
    const secret = (text: string) => createSecret(text)
    await client.find('ERP', {
      flow: {
        refreshToken: secret('r'),
        code: { value: secret('c'), redirectUri: 'https://app.test/login', verifier: secret('v') },
        samlAssertion: secret('s'),
        subject: { token: secret('st'), type: 'urn:s' },
        actor: { token: secret('at'), type: 'urn:a' },
        fragment: { name: 'part', optional: true },
      },
    })
    expect(world.findRequests().at(-1)?.headers).toMatchObject({
      'x-refresh-token': 'r',
      'x-code': 'c',
      'x-redirect-uri': 'https://app.test/login',
      'x-code-verifier': 'v',
      'x-samlassertion': 's',
      'x-subject-token': 'st',
      'x-subject-token-type': 'urn:s',
      'x-actor-token': 'at',
      'x-actor-token-type': 'urn:a',
      'x-fragment-name': 'part',
      'x-fragment-optional': 'true',
    })
    expect(await codeOf(client.find('ERP', { flow: { refreshToken: secret('user.token.secret\r\nx: y') } }))).toBe('MESSAGE_INVALID')
  })

  it('bridges an outage with an older answer, says so, does not wait for each call, and stops after an hour', async () => {
    await using world = await openWorld()
    const client = world.client()
    await client.find('ERP')
    world.destination = () => json({ ErrorMessage: 'down' }, 503)
    world.clock.advance(301_000)
    const stop = skipPauses(world)
    expect((await client.find('ERP')).destination.name).toBe('ERP')
    stop()
    expect(world.log.lines).toEqual([
      { destination: 'ERP', code: 'SERVICE_UNAVAILABLE', message: 'destination service failed, an older answer is used' },
    ])
    const asked = world.findRequests().length
    expect(asked).toBe(4)
    await client.find('ERP')
    expect(world.findRequests()).toHaveLength(asked)
    world.clock.advance(3_600_000)
    const stopAgain = skipPauses(world)
    expect(await codeOf(client.find('ERP'))).toBe('SERVICE_UNAVAILABLE')
    stopAgain()
  })
  it('does not bridge with a token that has expired', async () => {
    await using world = await openWorld()
    world.destination = () =>
      json({
        destinationConfiguration: { ...configuration, Authentication: 'OAuth2ClientCredentials' },
        authTokens: [{ type: 'Bearer', value: 'x', http_header: { key: 'Authorization', value: 'Bearer x' }, expires_in: '600' }],
      })
    const client = world.client()
    await client.find('ERP')
    world.destination = () => json({}, 500)
    world.clock.advance(600_000)
    const stop = skipPauses(world)
    expect(await codeOf(client.find('ERP'))).toBe('SERVICE_UNAVAILABLE')
    stop()
  })
  it('forgets a destination that is gone', async () => {
    await using world = await openWorld()
    const client = world.client()
    await client.find('ERP')
    world.destination = () => json({ ErrorMessage: 'Configuration with the specified name was not found' }, 404)
    expect(await codeOf(client.find('ERP', { fresh: true }))).toBe('DESTINATION_NOT_FOUND')
    world.destination = () => undefined
    expect(await codeOf(client.find('ERP', { signal: AbortSignal.timeout(50) }))).toBe('DEADLINE_EXCEEDED')
  })
})

describe('a service that fails', () => {
  it.each([
    ['400', json({ ErrorMessage: 'bad' }, 400), 'DESTINATION_INVALID', 1],
    ['403', json({ ErrorMessage: 'no' }, 403), 'ACCESS_DENIED', 1],
    ['404', json({ ErrorMessage: 'Configuration with the specified name was not found' }, 404), 'DESTINATION_NOT_FOUND', 1],
    ['a foreign 404', { status: 404, body: 'Requested route does not exist' }, 'PROTOCOL_VIOLATION', 1],
    ['a redirect', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }, 'PROTOCOL_VIOLATION', 1],
    ['200 without JSON', { body: 'fine' }, 'PROTOCOL_VIOLATION', 1],
    ['429', json({}, 429), 'SERVICE_UNAVAILABLE', 3],
    ['503', json({}, 503), 'SERVICE_UNAVAILABLE', 3],
    ['an endless answer', { body: 'x'.repeat(4 * 1024 * 1024 + 1) }, 'PROTOCOL_VIOLATION', 1],
    ['a head that is too large', { headers: { 'x-padding': 'x'.repeat(40_000) } }, 'PROTOCOL_VIOLATION', 1],
  ] satisfies [string, HttpAnswer, string, number][])(
    'with %s is told by a code after the right number of attempts',
    async (_what, answer, code, attempts) => {
      await using world = await openWorld()
      world.destination = () => answer
      const stop = skipPauses(world)
      expect(await codeOf(world.client().find('ERP'))).toBe(code)
      stop()
      expect(world.findRequests()).toHaveLength(attempts)
    },
  )
  it('is asked once more with a new token after a 401, and not for ever', async () => {
    await using world = await openWorld()
    world.destination = ({ headers }) =>
      headers.authorization?.endsWith('.1') === true ? json({}, 401) : json({ destinationConfiguration: configuration })
    expect((await world.client().find('ERP')).destination.name).toBe('ERP')
    expect(world.tokenRequests()).toHaveLength(2)
    world.destination = () => json({}, 401)
    expect(await codeOf(world.client().find('ERP'))).toBe('TOKEN_INVALID')
    expect(world.tokenRequests()).toHaveLength(4)
  })
  it('recovers between two attempts', async () => {
    await using world = await openWorld()
    let calls = 0
    world.destination = () => (++calls < 3 ? json({}, 502) : json({ destinationConfiguration: configuration }))
    const stop = skipPauses(world)
    expect((await world.client().find('ERP')).destination.name).toBe('ERP')
    stop()
  })
  it('and never answers is given up at the limit, every connection closed', async () => {
    await using world = await openWorld()
    world.destination = () => undefined
    const client = world.client({ timeoutMs: 50 })
    expect(await codeOf(client.find('ERP'))).toBe('DEADLINE_EXCEEDED')
    await client[Symbol.asyncDispose]()
    await world.backend.idle()
  })
  it.each([
    ['is not there', (network: ReturnType<typeof createSocketNetwork>) => network.unused(), 'PEER_UNREACHABLE'],
    ['resets', (network: ReturnType<typeof createSocketNetwork>) => network.serve(({ reset }) => reset()), 'PEER_UNREACHABLE'],
    [
      'speaks no HTTP',
      (network: ReturnType<typeof createSocketNetwork>) => network.serve(({ stream }) => stream.end('220 mail ESMTP service-token.x\r\n')),
      'PROTOCOL_VIOLATION',
    ],
  ])('or %s is told by a code', async (_what, serve, code) => {
    await using world = await openWorld()
    await using network = createSocketNetwork()
    const { port } = await serve(network)
    const client: OAuthClient = { ...createTokenClient(world), tokenUrl: new URL(`http://127.0.0.1:${port}/oauth/token`) }
    await using tokens = createTokenSource({ client, clock: world.clock, random: () => 0 })
    const stop = skipPauses(world)
    expect(await codeOf(tokens.get())).toBe(code)
    stop()
  })
  it.each(['', 'x'.repeat(201)])('is not asked for a name that cannot be one', async (name) => {
    await using world = await openWorld()
    expect(await codeOf(world.client().find(name))).toBe('DESTINATION_INVALID')
    expect(world.backend.requests).toHaveLength(0)
  })
})
