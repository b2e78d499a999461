import { ConnectivityError, type StreamCloseReason } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { nextTurn, until } from '../test-support/turn.ts'
import { anyTime, createTunnelWorld, quiet, type TunnelWorld } from '../test-support/tunnel-world.ts'
import { type ControlFromServer, formatMessage } from './messages.ts'
import { tryParseControlFromServer } from './parse-messages.ts'

const hello = { kind: 'control', versions: [1], locationId: '', connectorId: 'raw', agentVersion: '', description: '' } as const

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'fulfilled',
    (error: unknown) => ConnectivityError.is(error) && error.code,
  )
}

/** A connection that introduces itself by hand and records the answers. */
async function rawConnector(world: TunnelWorld, opening: object = hello) {
  const connection = await world.transport.connect(world.endpoint, { signal: anyTime() })
  const messages: ControlFromServer[] = []
  const reasons: StreamCloseReason[] = []
  const control = connection.openStream(Buffer.from(JSON.stringify(opening)), {
    ...quiet,
    onMessage(bytes) {
      const message = tryParseControlFromServer(bytes)
      if (message !== undefined) messages.push(message)
    },
    onEnd: () => control.end(),
    onClose: (reason) => reasons.push(reason),
  })
  return { connection, control, messages, reasons }
}

describe('tunnel server', () => {
  it('finds the tunnel of a subaccount and location, case-sensitive, and never another one', async () => {
    const world = createTunnelWorld()
    const server = await world.server({
      authorize: async (_, { connectorId }) => ({ allowed: true, subaccount: connectorId.split('@')[1] ?? '' }),
    })
    const names = [
      ['', 'a@A'],
      ['x', 'b@A'],
      ['X', 'c@A'],
      ['', 'd@B'],
    ] as const
    await Promise.all(names.map(async ([locationId, connectorId]) => world.client({ locationId, connectorId }).whenReady(anyTime())))
    for (const [locationId, connectorId] of names) expect(server.find(connectorId.slice(2), locationId)?.connectorId).toBe(connectorId)
    expect(server.find('A', '')?.tunnelId).toBe('account:///A')
    expect(server.find('A', 'X')?.tunnelId).toBe('account:///A/X')
    for (const [subaccount, location] of [
      ['B', 'x'],
      ['a', ''],
      ['A', ' '],
      ['', ''],
    ] as const)
      expect(server.find(subaccount, location)).toBeUndefined()
    expect(server.list()).toHaveLength(4)
  })

  it('takes the subaccount from whoever checks the certificate, whatever the connector says on the wire', async () => {
    const world = createTunnelWorld()
    const server = await world.server({ authorize: async () => ({ allowed: true, subaccount: 'a' }) })
    const { messages } = await rawConnector(world, { ...hello, subaccount: 'b', tunnelId: 'account:///b' })
    await until(() => messages.length === 1)
    expect(messages[0]).toMatchObject({ kind: 'welcome', subaccount: 'a', tunnelId: 'account:///a' })
    expect(server.find('a', '')).toBeDefined()
    expect(server.find('b', '')).toBeUndefined()
  })

  it('opens and accepts nothing before the control opening was authorised', async () => {
    const world = createTunnelWorld()
    let allow: () => void = () => {}
    const server = await world.server({
      authorize: () =>
        new Promise((resolve) => {
          allow = () => resolve({ allowed: true, subaccount: 'demo' })
        }),
    })
    const { connection, messages } = await rawConnector(world)
    const reasons: StreamCloseReason[] = []
    const onClose = (reason: StreamCloseReason): void => void reasons.push(reason)
    connection.openStream(Buffer.from('{}'), { ...quiet, onClose })
    await until(() => reasons.length === 1)
    expect(server.find('demo', '')).toBeUndefined()
    expect(server.list()).toEqual([])
    allow()
    await until(() => messages.length === 1)
    expect(server.find('demo', '')).toBeDefined()
    connection.openStream(formatMessage(hello), { ...quiet, onClose })
    await until(() => reasons.length === 2)
    expect(reasons).toEqual([
      { kind: 'reset', by: 'peer', code: 'refused' },
      { kind: 'reset', by: 'peer', code: 'refused' },
    ])
  })

  it.each([
    ['that is no control opening', '{"kind":"tcp"}'],
    ['that is no message', 'hello'],
    ['without a connector ID', JSON.stringify({ ...hello, connectorId: '' })],
    ['with a name of a megabyte', JSON.stringify({ ...hello, locationId: 'x'.repeat(2_000) })],
  ])('drops a connection with a first stream %s', async (_, opening) => {
    const world = createTunnelWorld()
    const server = await world.server()
    const connection = await world.transport.connect(world.endpoint, { signal: anyTime() })
    connection.openStream(Buffer.from(opening), quiet)
    expect((await connection.closed).kind).toBe('lost')
    expect(server.list()).toEqual([])
    expect(world.audit.map(({ type }) => type)).toEqual(['tunnel-refused'])
  })

  it('drops a connection that says nothing, and refuses one that cannot be checked in time', async () => {
    const world = createTunnelWorld()
    await world.server({ authorize: () => new Promise(() => {}) })
    const silent = await world.transport.connect(world.endpoint, { signal: anyTime() })
    const { messages, connection } = await rawConnector(world)
    await nextTurn()
    world.clock.advance(10_000)
    expect((await silent.closed).kind).toBe('lost')
    await until(() => messages.length === 1)
    expect(messages[0]).toMatchObject({ kind: 'refused', code: 'SERVICE_UNAVAILABLE' })
    expect((await connection.closed).kind).toBe('peer')
  })

  it('refuses versions it does not speak and takes the newest that both do', async () => {
    const world = createTunnelWorld()
    await world.server()
    const old = await rawConnector(world, { ...hello, versions: [0] })
    await until(() => old.messages.length === 1)
    expect(old.messages[0]).toMatchObject({ kind: 'refused', code: 'VERSION_UNSUPPORTED' })
    const newer = await rawConnector(world, { ...hello, versions: [3, 2, 1] })
    await until(() => newer.messages.length === 1)
    expect(newer.messages[0]).toMatchObject({ kind: 'welcome', version: 2 })
    const older = await rawConnector(world, { ...hello, versions: [1] })
    await until(() => older.messages.length === 1)
    expect(older.messages[0]).toMatchObject({ kind: 'welcome', version: 1 })
  })

  it('refuses a second connector on a location that another one holds', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    await world.client({ connectorId: 'one' }).whenReady(anyTime())
    const second = world.client({ connectorId: 'two' })
    await until(() => second.state.kind === 'failed')
    expect(second.state).toMatchObject({ reason: 'refused', code: 'LOCATION_TAKEN' })
    expect(server.find('demo', '')?.connectorId).toBe('one')
    expect(world.audit.map(({ type, user }) => `${type} ${user}`)).toEqual(['tunnel-opened one', 'tunnel-refused two'])
  })

  it('lets a newer connection of the same connector take over at once, while streams of the older finish', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const first = await rawConnector(world)
    first.connection.onStream = (incoming) => {
      const stream = incoming.accept({ ...quiet, onEnd: () => stream.end() })
    }
    await until(() => first.messages.length === 1)
    const reasons: string[] = []
    const running = server.find('demo', '')?.openStream(Buffer.from('x'), { ...quiet, onClose: (reason) => reasons.push(reason.kind) })
    first.connection.onStream = (incoming) => {
      const stream = incoming.accept({ ...quiet, onEnd: () => stream.end() })
    }
    const second = await rawConnector(world)
    await until(() => first.messages.length === 2 && second.messages.length === 1)
    expect(first.messages[1]).toEqual({ kind: 'replaced' })
    expect(server.list()).toHaveLength(1)
    expect(first.connection.openStreams).toBeGreaterThan(0)
    running?.end()
    await until(() => reasons.length === 1)
    expect(reasons).toEqual(['finished'])
    expect((await first.connection.closed).kind).toBe('peer')
    expect(server.find('demo', '')).toBeDefined()
  })

  it('gives the streams of a replaced connection so much time and no more', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const first = await rawConnector(world)
    first.connection.onStream = (incoming) => void incoming.accept(quiet)
    await until(() => first.messages.length === 1)
    server.find('demo', '')?.openStream(Buffer.from('x'), quiet)
    await rawConnector(world)
    await until(() => first.messages.length === 2)
    // As long as a connector may let clients of its service channels finish.
    world.clock.advance(3_600_000)
    expect(first.connection.openStreams).toBeGreaterThan(0)
    world.clock.advance(60_000)
    expect((await first.connection.closed).kind).toBe('lost')
  })

  it('lets requests wait for a connector that was there a moment ago, and no others', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    expect(await codeOf(server.waitFor('demo', '', anyTime()))).toBe('CONNECTOR_NOT_CONNECTED')
    const client = world.client()
    await client.whenReady(anyTime())
    const tunnel = await server.waitFor('demo', '', anyTime())
    expect(tunnel).toBe(server.find('demo', ''))
    world.dialled[0]?.abort(new Error('cut'))
    await until(() => server.find('demo', '') === undefined)
    const waiting = [server.waitFor('demo', '', anyTime()), server.waitFor('demo', '', anyTime())]
    expect(await codeOf(server.waitFor('demo', 'X', anyTime()))).toBe('CONNECTOR_NOT_CONNECTED')
    expect(await codeOf(server.waitFor('other', '', anyTime()))).toBe('CONNECTOR_NOT_CONNECTED')
    world.clock.advance(1_000)
    const found = await Promise.all(waiting)
    expect(new Set(found)).toEqual(new Set([server.find('demo', '')]))
  })

  it('bounds that wait in time, by the signal and in number', async () => {
    const world = createTunnelWorld()
    const server = await world.server({ limits: { maxWaiting: 3 } })
    const { connection, messages } = await rawConnector(world)
    await until(() => messages.length === 1)
    connection.abort(new Error('gone'))
    await until(() => server.find('demo', '') === undefined)
    const controller = new AbortController()
    const aborted = codeOf(server.waitFor('demo', '', controller.signal))
    const dead = codeOf(server.waitFor('demo', '', AbortSignal.timeout(5)))
    const late = codeOf(server.waitFor('demo', '', anyTime()))
    expect(await codeOf(server.waitFor('demo', '', anyTime()))).toBe('SERVICE_UNAVAILABLE')
    controller.abort(new ConnectivityError('ABORTED', 'the application has gone'))
    expect(await aborted).toBe('ABORTED')
    expect(await dead).toBe('TUNNEL_NOT_OPENED')
    world.clock.advance(9_999)
    const later = codeOf(server.waitFor('demo', '', anyTime()))
    world.clock.advance(1)
    expect(await late).toBe('TUNNEL_NOT_OPENED')
    expect(await codeOf(server.waitFor('demo', '', anyTime()))).toBe('CONNECTOR_NOT_CONNECTED')
    await server.close({ graceMs: 0 })
    expect(await later).toBe('SERVICE_UNAVAILABLE')
  })

  it('writes one audit entry and one event for each tunnel, with its ID', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const client = world.client({ locationId: 'plant' })
    await client.whenReady(anyTime())
    await client.close({ graceMs: 0 })
    await until(() => server.list().length === 0)
    expect([...world.audit]).toEqual([
      { type: 'tunnel-opened', subaccount: 'demo', user: 'one', message: 'tunnel handshake success: account:///demo/plant' },
    ])
    const facts = { subaccount: 'demo', locationId: 'plant', tunnelId: 'account:///demo/plant', atMs: world.clock.now() }
    expect(world.events).toEqual([
      { type: 'tunnel-connected', ...facts, connectorId: 'one' },
      { type: 'tunnel-disconnected', ...facts, reason: 'closing' },
    ])
  })

  it('refuses every tunnel while the audit log cannot be written', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    world.audit.failing = true
    const { messages } = await rawConnector(world)
    await until(() => messages.length === 1)
    expect(messages[0]).toMatchObject({ kind: 'refused', code: 'SERVICE_UNAVAILABLE' })
    expect(server.list()).toEqual([])
  })

  it('lets go of a connector that may not stay', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const { connection, messages } = await rawConnector(world)
    await until(() => messages.length === 1)
    expect(server.disconnect('demo', 'somebody else')).toBe(false)
    expect(server.disconnect('other', 'raw')).toBe(false)
    expect(server.disconnect('demo', 'raw')).toBe(true)
    expect((await connection.closed).kind).toBe('lost')
    expect(await codeOf(server.waitFor('demo', '', anyTime()))).toBe('CONNECTOR_NOT_CONNECTED')
  })

  it('lets go of the streams of a connection that the connector has replaced', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const first = await rawConnector(world)
    first.connection.onStream = (incoming) => void incoming.accept(quiet)
    await until(() => first.messages.length === 1)
    server.find('demo', '')?.openStream(Buffer.from('x'), quiet)
    const second = await rawConnector(world)
    await until(() => first.messages.length === 2 && second.messages.length === 1)
    expect(server.disconnect('demo', 'raw')).toBe(true)
    expect((await first.connection.closed).kind).toBe('lost')
    expect((await second.connection.closed).kind).toBe('lost')
  })

  it('sends a connector away that was disconnected while it was being authorised, and asks about it again', async () => {
    const world = createTunnelWorld()
    const answers: (() => void)[] = []
    const server = await world.server({
      authorize: () => new Promise((resolve) => answers.push(() => resolve({ allowed: true, subaccount: 'demo' }))),
    })
    const dismissed = await rawConnector(world)
    const other = await rawConnector(world, { ...hello, connectorId: 'other', locationId: 'other' })
    await until(() => answers.length === 2)
    expect(server.disconnect('elsewhere', 'other')).toBe(false)
    // The answer is on its way already, and decided from what was true before.
    for (const answer of answers) answer()
    expect(server.disconnect('demo', 'raw')).toBe(false)
    await until(() => dismissed.messages.length === 1 && other.messages.length === 1)
    expect(dismissed.messages[0]).toMatchObject({ kind: 'refused', code: 'SERVICE_UNAVAILABLE' })
    expect(other.messages[0]).toMatchObject({ kind: 'welcome' })
    expect(server.list().map(({ connectorId }) => connectorId)).toEqual(['other'])
    const again = await rawConnector(world)
    await until(() => answers.length === 3)
    answers[2]?.()
    await until(() => again.messages.length === 1)
    expect(again.messages[0]).toMatchObject({ kind: 'welcome' })
  })

  it('drains when it closes: says so, takes nothing new, lets streams finish, then is gone', async () => {
    const world = createTunnelWorld()
    const server = await world.server()
    const { connection, messages } = await rawConnector(world)
    connection.onStream = (incoming) => {
      const stream = incoming.accept({ ...quiet, onEnd: () => stream.end() })
    }
    await until(() => messages.length === 1)
    const stream = server.find('demo', '')?.openStream(Buffer.from('x'), quiet)
    await nextTurn()
    let isClosed = false
    const closing = server.close({ graceMs: 5_000 }).then(() => {
      isClosed = true
    })
    await until(() => messages.length === 2)
    expect(messages[1]).toEqual({ kind: 'drain' })
    expect(server.find('demo', '')).toBeUndefined()
    expect(await codeOf(world.transport.connect(world.endpoint, { signal: anyTime() }))).toBe('PEER_UNREACHABLE')
    expect(isClosed).toBe(false)
    stream?.end()
    await closing
    await server.close({ graceMs: 0 })
    expect((await connection.closed).kind).toBe('peer')
  })

  it('does not wait longer than it was told for streams and silent connections', async () => {
    const world = createTunnelWorld()
    const server = await world.server({ limits: { controlMs: 1_000_000 } })
    const silent = await world.transport.connect(world.endpoint, { signal: anyTime() })
    const { connection, messages } = await rawConnector(world)
    connection.onStream = (incoming) => void incoming.accept(quiet)
    await until(() => messages.length === 1)
    server.find('demo', '')?.openStream(Buffer.from('x'), quiet)
    const closing = server.close({ graceMs: 5_000 })
    await until(() => messages.length === 2)
    world.clock.advance(5_000)
    await closing
    expect((await connection.closed).kind).toBe('lost')
    expect((await silent.closed).kind).toBe('lost')
  })

  it.each([
    ['bytes on the control stream', (control: Awaited<ReturnType<typeof rawConnector>>['control']) => control.write(Buffer.from('x'))],
    ['an unknown message', (control) => control.sendMessage(Buffer.from('{"kind":"surprise"}'))],
    ['a reset of the control stream', (control) => control.reset('cancelled')],
    [
      'requests without end',
      (control) => {
        for (let i = 0; i < 20; i++) control.sendMessage(formatMessage({ kind: 'get-trust' }))
      },
    ],
    [
      'exposed systems without end',
      (control) => {
        const systems = Array.from({ length: 100 }, () => ({ protocol: '', host: '', type: '', description: '' }))
        for (let i = 0; i < 101; i++) control.sendMessage(formatMessage({ kind: 'exposed', digest: '', systems, more: true }))
      },
    ],
  ] as readonly (readonly [string, (control: Awaited<ReturnType<typeof rawConnector>>['control']) => unknown])[])(
    'ends a connector that sends %s',
    async (_, misbehave) => {
      const world = createTunnelWorld()
      await world.server({ trust: () => new Promise(() => {}) })
      const { connection, control, messages } = await rawConnector(world)
      await until(() => messages.length === 1)
      misbehave(control)
      expect((await connection.closed).kind).toBe('lost')
    },
  )

  it('drops connections beyond the number that may wait for their admission', async () => {
    const world = createTunnelWorld()
    await world.server({ limits: { maxUnaccepted: 5 } })
    const connections = await Promise.all(
      Array.from({ length: 8 }, async () => world.transport.connect(world.endpoint, { signal: anyTime() })),
    )
    const closed = new Set<number>()
    connections.forEach((connection, index) => void connection.closed.then(() => closed.add(index)))
    await until(() => closed.size === 3)
    expect(closed).toEqual(new Set([5, 6, 7]))
  })
})
