import { ConnectivityError, type StreamCloseReason } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { nextTurn, until } from '../test-support/turn.ts'
import { anyTime, createTunnelWorld, quiet } from '../test-support/tunnel-world.ts'
import { formatMessage, type StreamOpening } from './messages.ts'

const opening: StreamOpening = {
  kind: 'tcp',
  subaccount: 'demo',
  locationId: '',
  virtualHost: 'erp.virtual',
  virtualPort: 443,
  correlationId: 'c',
  timeoutMs: 1_000,
}

describe('tunnel client', () => {
  it('connects, introduces the connector and hands out the streams of the server', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const client = world.client()
    await client.whenReady(anyTime())
    expect(client.state).toEqual({ kind: 'ready', subaccount: 'demo', tunnelId: 'account:///demo', sinceMs: world.clock.now() })
    expect(server.list()).toMatchObject([{ connectorId: 'one', agentVersion: '1.0', description: 'a test', openStreams: 0 }])
    server.find('demo', '')?.openStream(formatMessage(opening), quiet)
    await until(() => client.streams.length === 1)
    expect(client.streams[0]?.opening).toEqual(opening)
  })

  it('refuses streams for another subaccount or location than its own, and openings it does not understand', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const client = world.client({ onStream: (incoming) => void incoming.accept(quiet) })
    await client.whenReady(anyTime())
    const reasons: StreamCloseReason[] = []
    const onClose = (reason: StreamCloseReason): void => void reasons.push(reason)
    const bad = [
      { ...opening, subaccount: 'other' },
      { ...opening, locationId: 'other' },
      { ...opening, kind: 'new' },
      { ...opening, virtualPort: 0 },
    ]
    for (const one of bad) server.find('demo', '')?.openStream(Buffer.from(JSON.stringify(one)), { ...quiet, onClose })
    await until(() => reasons.length === bad.length)
    expect(new Set(reasons.map((reason) => reason.kind === 'reset' && reason.code))).toEqual(new Set(['refused']))
  })

  it('dials again with growing waits, for ever, until the server is there', async () => {
    const world = createTunnelWorld()
    const client = world.client()
    const waits: number[] = []
    for (let attempt = 1; attempt <= 12; attempt++) {
      await until(() => client.state.kind === 'connecting' && client.state.retryAtMs !== undefined && client.state.attempt === attempt + 1)
      const { state } = client
      if (state.kind !== 'connecting' || state.retryAtMs === undefined) throw new Error('not waiting')
      expect(ConnectivityError.is(state.lastError, 'PEER_UNREACHABLE')).toBe(true)
      waits.push(state.retryAtMs - world.clock.now())
      if (attempt < 12) world.clock.set(state.retryAtMs)
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000, 15_000, 15_000])
    await world.server()
    world.clock.advance(15_000)
    await client.whenReady(anyTime())
  })

  it('gives up after so many attempts when told to, and says so', async () => {
    const world = createTunnelWorld()
    const client = world.client({ maxAttempts: 2 })
    await until(() => client.state.kind === 'connecting' && client.state.attempt === 2)
    const ready = client.whenReady(anyTime())
    world.clock.advance(1_000)
    await expect(ready).rejects.toThrow(/nobody listens/)
    expect(client.state).toMatchObject({ kind: 'failed', reason: 'attempts-exhausted', code: 'PEER_UNREACHABLE', retryAtMs: undefined })
    world.clock.advance(1_000_000)
    await nextTurn()
    expect(world.dialled).toEqual([])
  })

  it('comes back after the connection is lost; only a stable connection makes the waits short again', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const client = world.client()
    const waits: number[] = []
    for (const livedMs of [1_000, 1_000, 1_000, 30_000, 1_000]) {
      await client.whenReady(anyTime())
      world.clock.advance(livedMs)
      world.dialled.at(-1)?.abort(new Error('cut'))
      await until(() => client.state.kind === 'connecting' && client.state.retryAtMs !== undefined)
      const { state } = client
      if (state.kind === 'connecting') waits.push((state.retryAtMs ?? 0) - world.clock.now())
      world.clock.advance(waits.at(-1) ?? 0)
    }
    expect(waits).toEqual([100, 200, 400, 100, 200])
    await client.whenReady(anyTime())
    expect(server.list()).toHaveLength(1)
  })

  it('does not chase another copy of its installation: after being replaced it waits long and says why', async () => {
    const world = createTunnelWorld()
    await world.server()
    const first = world.client({ connectorId: 'twin' })
    await first.whenReady(anyTime())
    const second = world.client({ connectorId: 'twin' })
    await until(() => first.state.kind === 'failed')
    expect(first.state).toMatchObject({ reason: 'replaced', code: 'REPLACED', retryAtMs: world.clock.now() + 300_000 })
    expect(second.state.kind).toBe('ready')
    const dials = world.dialled.length
    world.clock.advance(299_000)
    await nextTurn()
    expect(world.dialled.length).toBe(dials)
    world.clock.advance(1_000)
    await first.whenReady(anyTime())
  })

  it('does not dial in a tight loop after a refusal, and succeeds once it is lifted', async () => {
    const world = createTunnelWorld()
    let allowed = false
    await world.server({
      authorize: async () =>
        allowed ? { allowed: true, subaccount: 'demo' } : { allowed: false, code: 'PEER_UNTRUSTED', message: 'the certificate is revoked' },
    })
    const client = world.client()
    await until(() => client.state.kind === 'failed')
    expect(client.state).toMatchObject({
      reason: 'refused',
      code: 'PEER_UNTRUSTED',
      message: 'the certificate is revoked',
      retryAtMs: world.clock.now() + 60_000,
    })
    world.clock.advance(59_000)
    await nextTurn()
    expect(world.dialled.length).toBe(1)
    allowed = true
    world.clock.advance(1_000)
    await client.whenReady(anyTime())
  })

  it('treats "not now" as a failed attempt and not as a refusal', async () => {
    const world = createTunnelWorld()
    let works = false
    await world.server({
      async authorize() {
        if (!works) throw new Error('the directory is down')
        return { allowed: true, subaccount: 'demo' }
      },
    })
    const client = world.client()
    await until(() => client.state.kind === 'connecting' && client.state.attempt === 2)
    expect(client.state.kind === 'connecting' && client.state.lastError?.message).not.toContain('directory')
    works = true
    world.clock.advance(100)
    await client.whenReady(anyTime())
  })

  it('keeps running streams through a drain and takes new ones on the next connection', async () => {
    const world = createTunnelWorld()
    const old = await world.server()
    const accepted: string[] = []
    const client = world.client({
      onStream(incoming, { correlationId }) {
        accepted.push(correlationId)
        const stream = incoming.accept({ ...quiet, onData: (chunk) => stream.write(chunk), onEnd: () => stream.end() })
      },
    })
    await client.whenReady(anyTime())
    const heard: string[] = []
    const running = old.find('demo', '')?.openStream(formatMessage(opening), {
      ...quiet,
      onData: (chunk) => heard.push(chunk.toString()) > 0,
      onClose: (reason) => heard.push(reason.kind),
    })
    await until(() => accepted.length === 1)
    const closing = old.close({ graceMs: 30_000 })
    await until(() => client.state.kind === 'connecting' && client.state.retryAtMs !== undefined)
    const next = await world.server()
    world.clock.advance(1_000)
    await client.whenReady(anyTime())
    next.find('demo', '')?.openStream(formatMessage({ ...opening, correlationId: 'second' }), quiet)
    await until(() => accepted.length === 2)
    running?.write(Buffer.from('still there'))
    await until(() => heard.length === 1)
    running?.end()
    await closing
    expect(heard).toEqual(['still there', 'finished'])
    expect(accepted).toEqual(['c', 'second'])
    expect(client.state.kind).toBe('ready')
    expect(client.openStreams).toBe(1)
  })

  it('replaces a weakened connection by a new one before it lets the old one go', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    let weaken: () => void = () => {}
    const transport: typeof world.transport = {
      ...world.transport,
      async connect(endpoint, options) {
        const connection = await world.transport.connect(endpoint, options)
        if (world.dialled.length > 1) return connection
        return Object.defineProperty(connection, 'weakened', {
          value: new Promise<void>((resolve) => {
            weaken = resolve
          }),
        })
      },
    }
    const client = world.client({ transport })
    await client.whenReady(anyTime())
    const before = server.find('demo', '')
    weaken()
    await nextTurn()
    world.clock.advance(0)
    await until(() => server.find('demo', '') !== undefined && server.find('demo', '') !== before)
    await world.dialled[0]?.closed
    expect(client.states.map((state) => state.kind)).toEqual(['connecting', 'ready', 'ready'])
    expect(server.list()).toHaveLength(1)
  })

  it('receives the trusted issuers after each connect and when they change, however many there are', async () => {
    const world = createTunnelWorld()
    const keys = (count: number): { kty: string; kid: string; n: string; x5c: string[] }[] =>
      Array.from({ length: count }, (_, index) => ({ kty: 'RSA', kid: String(index), n: 'n'.repeat(340), x5c: ['c'.repeat(5_000)] }))
    let issuers = Array.from({ length: 30 }, (_, index) => ({
      issuer: `https://${index}`,
      name: `${index}`,
      type: 'OIDC' as const,
      keys: keys(4),
    }))
    const server = await world.server({ trust: async () => issuers })
    const heard: (readonly { issuer: string; keys: readonly object[] }[])[] = []
    const client = world.client({ onTrust: (trusted) => heard.push(trusted) })
    await until(() => heard.length === 1)
    expect(heard[0]?.map((one) => `${one.issuer} ${one.keys.length}`)).toEqual(issuers.map((one) => `${one.issuer} 4`))
    expect(heard[0]?.[0]?.keys[0]).toEqual({ kty: 'RSA', kid: '0', n: 'n'.repeat(340) })
    issuers = []
    server.trustChanged('other')
    server.trustChanged('demo')
    await until(() => heard.length === 2)
    expect(heard[1]).toEqual([])
    expect(await client.getTrust(anyTime())).toEqual([])
  })

  it('tells what it exposes after every connect', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const client = world.client()
    const systems = Array.from({ length: 500 }, (_, index) => ({
      protocol: 'HTTP',
      host: `host${index}:80`,
      type: 'SAP',
      description: 'd'.repeat(100),
    }))
    client.expose('digest', systems)
    await until(() => server.list()[0]?.exposed !== undefined)
    expect(server.list()[0]?.exposed).toEqual({ digest: 'digest', systems })
    world.dialled[0]?.abort(new Error('cut'))
    await until(() => server.list().length === 0)
    world.clock.advance(1_000)
    await until(() => server.list()[0]?.exposed?.systems.length === 500)
  })

  it('renews its certificate through the tunnel, and hears why not', async () => {
    const world = createTunnelWorld()
    const asked: unknown[] = []
    await world.server({
      async renewCertificate(renewal) {
        asked.push(renewal)
        if (renewal.request === 'bad') throw new ConnectivityError('MESSAGE_INVALID', 'the key is too short')
        if (renewal.request === 'broken') throw new Error('internal path /secret')
        return { certificate: `certificate of ${renewal.request}`, authorities: 'ca' }
      },
    })
    const client = world.client()
    await client.whenReady(anyTime())
    expect(await Promise.all([client.renewCertificate('a'), client.renewCertificate('b')])).toEqual([
      { certificate: 'certificate of a', authorities: 'ca' },
      { certificate: 'certificate of b', authorities: 'ca' },
    ])
    expect(asked[0]).toEqual({ subaccount: 'demo', connectorId: 'one', peerCertificate: undefined, request: 'a' })
    await expect(client.renewCertificate('bad')).rejects.toThrow(/key is too short/)
    const failure = await client.renewCertificate('broken').catch((error: unknown) => error)
    expect(ConnectivityError.is(failure, 'PAIRING_REFUSED')).toBe(true)
    expect(String(failure)).not.toContain('/secret')
  })

  it('bounds the wait for an answer in time and number', async () => {
    const world = createTunnelWorld()
    await world.server({ trust: () => new Promise(() => {}) })
    const client = world.client({ limits: { maxPendingRequests: 2 } })
    await client.whenReady(anyTime())
    const controller = new AbortController()
    const aborted = client.getTrust(controller.signal)
    const late = client.getTrust()
    const codes = async (work: Promise<unknown>): Promise<unknown> =>
      await work.then(
        () => 'answered',
        (error: unknown) => ConnectivityError.is(error) && error.code,
      )
    expect(await codes(client.getTrust())).toBe('SERVICE_UNAVAILABLE')
    controller.abort()
    expect(await codes(aborted)).toBe('ABORTED')
    world.clock.advance(30_000)
    expect(await codes(late)).toBe('DEADLINE_EXCEEDED')
    const lost = world.client({ locationId: 'elsewhere' })
    expect(await codes(lost.getTrust())).toBe('TUNNEL_LOST')
  })

  it('lets streams finish within the grace period when it closes, and no longer', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    for (const finishes of [true, false]) {
      const reasons: string[] = []
      const client = world.client({
        onStream(incoming) {
          const stream = incoming.accept({ ...quiet, onEnd: () => stream.end() })
        },
      })
      await client.whenReady(anyTime())
      const stream = server
        .find('demo', '')
        ?.openStream(formatMessage(opening), { ...quiet, onClose: (reason) => reasons.push(reason.kind) })
      await nextTurn()
      await until(() => client.openStreams === 1)
      const closing = client.close({ graceMs: 5_000 })
      expect(client.state.kind).toBe('draining')
      await until(() => server.find('demo', '') === undefined)
      if (finishes) stream?.end()
      else world.clock.advance(5_000)
      await closing
      await client.close({ graceMs: 0 })
      await until(() => reasons.length === 1)
      expect(reasons).toEqual([finishes ? 'finished' : 'lost'])
      expect(client.state).toEqual({ kind: 'closed' })
      await expect(client.whenReady(anyTime())).rejects.toThrow(/closed/)
    }
  })

  it('stops an attempt that is under way when it closes', async () => {
    const world = createTunnelWorld()
    await world.server({ authorize: () => new Promise(() => {}) })
    const client = world.client()
    await until(() => world.dialled.length === 1)
    await client.close({ graceMs: 0 })
    expect((await world.dialled[0]?.closed)?.kind).toBe('lost')
    world.clock.advance(1_000_000)
    await nextTurn()
    expect(world.dialled.length).toBe(1)
  })

  it('gives up an attempt whose server never says welcome', async () => {
    const world = createTunnelWorld()
    await world.transport.listen(world.endpoint, {
      onConnection(connection) {
        connection.onStream = (incoming) => void incoming.accept(quiet)
      },
    })
    const client = world.client()
    await until(() => world.dialled.length === 1)
    await nextTurn()
    world.clock.advance(20_000)
    await until(() => client.state.kind === 'connecting' && client.state.attempt === 2)
    expect((await world.dialled[0]?.closed)?.kind).toBe('lost')
  })

  it.each([
    ['bytes', (): Buffer => Buffer.from('x'), undefined],
    ['garbage', undefined, (): Buffer => Buffer.from('{')],
    ['a message out of place', undefined, (): Buffer => formatMessage({ kind: 'trust-changed' })],
    [
      'a version nobody offered',
      undefined,
      (): Buffer => formatMessage({ kind: 'welcome', version: 9, subaccount: 'demo', tunnelId: 't' }),
    ],
  ])('ends a connection whose server sends %s on the control stream', async (_, bytes, message) => {
    const world = createTunnelWorld()
    await world.transport.listen(world.endpoint, {
      onConnection(connection) {
        connection.onStream = (incoming) => {
          const control = incoming.accept(quiet)
          if (bytes !== undefined) control.write(bytes())
          if (message !== undefined) control.sendMessage(message())
        }
      },
    })
    const client = world.client()
    await until(() => client.state.kind === 'connecting' && client.state.lastError !== undefined)
    expect(client.state.kind === 'connecting' && ConnectivityError.is(client.state.lastError, 'PROTOCOL_VIOLATION')).toBe(true)
  })
})
