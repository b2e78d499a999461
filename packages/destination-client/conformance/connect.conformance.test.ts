import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type ConnectContext, createSecret, systemClock, type TcpDestination } from '@sallyport/core'
import { createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createConnect, createConnectivity, openConnectivity } from '../src/connect/index.ts'
import { createBoundServices } from './bound-services.ts'

/** The smallest adapter there is: its client opens streams, and shows what it was connected with. */
interface ProbeClient extends AsyncDisposable {
  readonly context: ConnectContext
  open(): Promise<Duplex>
  ping(): Promise<void>
}
const closed = vi.fn<(name: string) => void>()
const connect = createConnect<'TCP', { readonly greeting?: string; readonly fails?: boolean }, ProbeClient>(
  'TCP',
  (_resolved, { fails }) => ({
    protocol: 'probe',
    destinationType: 'TCP',
    async connect({ name, address, locationId }: TcpDestination, context) {
      if (fails === true) throw new Error('the target says no')
      return {
        context,
        open: () => context.dial(address, { signal: AbortSignal.timeout(5000), locationId }),
        ping: async () => {},
        [Symbol.asyncDispose]: async () => closed(name),
      }
    },
  }),
)

afterEach(() => {
  vi.unstubAllEnvs()
  closed.mockClear()
})

const tcp = (name: string, more: object = {}): Record<string, object> => ({
  [name]: { destinationConfiguration: { Name: name, Type: 'TCP', Address: 'legacy.virtual:7', ProxyType: 'OnPremise', ...more } },
})

describe('connect', () => {
  it('goes from a name in the environment through SOCKS5 to the target, with a token and the location', async () => {
    await using network = createSocketNetwork()
    const target = await network.serve((far) => void far.stream.pipe(far.stream))
    await using socks = await createSocksServer({ token: 'token-2', route: () => target })
    await using services = await createBoundServices(tcp('LEGACY', { CloudConnectorLocationId: 'orlando' }), socks.address.port)
    vi.stubEnv('VCAP_SERVICES', services.environment.VCAP_SERVICES)
    await using client = await connect('LEGACY')
    const stream = await client.open()
    stream.end('there and back')
    expect(await text(stream)).toBe('there and back')
    expect(socks.attempts).toMatchObject([{ host: 'legacy.virtual', port: 7, locationId: 'orlando' }])
  })

  it('reaches destinations of the Internet directly, without any connectivity binding', async () => {
    await using network = createSocketNetwork()
    const { host, port } = await network.serve((far) => void far.stream.end('hello'))
    await using services = await createBoundServices(tcp('PUBLIC', { ProxyType: 'Internet', Address: `${host}:${port}` }))
    vi.stubEnv('VCAP_SERVICES', services.environment.VCAP_SERVICES)
    await using client = await connect('PUBLIC')
    expect(await text(await client.open())).toBe('hello')
    expect(services.tokens).toBe(1)
  })

  it('closes what it opened with the client, and when connecting fails', async () => {
    await using services = await createBoundServices(tcp('PUBLIC', { ProxyType: 'Internet' }))
    vi.stubEnv('VCAP_SERVICES', services.environment.VCAP_SERVICES)
    const client = await connect('PUBLIC')
    await client[Symbol.asyncDispose]()
    await expect(connect('PUBLIC', { fails: true })).rejects.toThrow('the target says no')
    await expect(connect('NOWHERE')).rejects.toMatchObject({ code: 'DESTINATION_NOT_FOUND' })
    expect(closed).toHaveBeenCalledExactlyOnceWith('PUBLIC')
    await vi.waitFor(async () => expect(await services.openConnections()).toBe(0))
  })

  it('shares what is cached by clients of one connectivity, and leaves it open', async () => {
    await using services = await createBoundServices(tcp('PUBLIC', { ProxyType: 'Internet' }))
    vi.stubEnv('VCAP_SERVICES', services.environment.VCAP_SERVICES)
    await using connectivity = await openConnectivity()
    for (let round = 0; round < 3; round++) {
      await using client = await connect('PUBLIC', { connectivity })
      await client.ping()
    }
    expect([services.finds.length, services.tokens]).toEqual([1, 1])
  })

  it('hands on the user, the tenant and a fresh look-up for tokens that have become old', async () => {
    const authTokens = [{ type: 'Bearer', value: 'x', http_header: { key: 'Authorization', value: 'Bearer x' }, expires_in: '60' }]
    const [entry] = Object.values(tcp('USERS', { ProxyType: 'Internet', Authentication: 'OAuth2JWTBearer' }))
    await using services = await createBoundServices({ USERS: { ...entry, authTokens } })
    await using connectivity = createConnectivity({ bindings: services.bindings, clock: systemClock })
    await using client = await connect('USERS', { connectivity, userToken: 'user.jwt', tenant: 'subscriber' })
    expect(client.context.principal?.token.reveal()).toBe('user.jwt')
    expect(await client.context.renewCredentials?.(AbortSignal.timeout(5000))).toMatchObject({ kind: 'header', name: 'Authorization' })
    expect(services.finds.map((headers) => headers['x-user-token'])).toEqual(['user.jwt', 'user.jwt'])
  })

  it('refuses a destination of another type, and says which it is', async () => {
    await using services = await createBoundServices({
      WEB: { destinationConfiguration: { Name: 'WEB', Type: 'HTTP', URL: 'http://web', ProxyType: 'Internet' } },
    })
    await using connectivity = createConnectivity({ bindings: services.bindings, clock: systemClock })
    await expect(connect('WEB', { connectivity })).rejects.toMatchObject({
      code: 'DESTINATION_INVALID',
      message: expect.stringContaining('is of type HTTP'),
    })
  })

  it('says which binding is missing for an on-premise destination', async () => {
    await using services = await createBoundServices(tcp('LEGACY'))
    await using connectivity = createConnectivity({ bindings: services.bindings, clock: systemClock })
    await expect(connect('LEGACY', { connectivity, userToken: createSecret('t') })).rejects.toMatchObject({
      code: 'BINDING_INVALID',
      message: expect.stringMatching(/"LEGACY" is on-premise: .*"connectivity"/),
    })
    expect(() => createConnectivity({ bindings: [], clock: systemClock })).toThrow(/"destination"/)
  })

  it('ends with the signal of the caller', async () => {
    await using services = await createBoundServices(tcp('LEGACY'))
    await using connectivity = createConnectivity({ bindings: services.bindings, clock: systemClock })
    await expect(connect('LEGACY', { connectivity, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(services.finds).toEqual([])
  })
})
