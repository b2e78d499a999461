import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type AuditEntry, silentLogger, type StreamCloseReason, systemClock, type TunnelStream } from '@sallyport/core'
import { createTestIssuer } from '@sallyport/test-fixtures'
import { createFixedKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import { type ChannelOpening, tryParseTcpAnswer, type TunnelClient } from '@sallyport/tunnel'
import { describe, expect, it, vi } from 'vitest'
import { createConnectivityService, type ServiceMapping } from '../src/index.ts'
import { type Cloud, dialCloud, startCloud } from './cloud.ts'
import { createTinyConnector } from './tiny-connector.ts'

interface Scene extends AsyncDisposable {
  readonly cloud: Cloud
  readonly audit: AuditEntry[]
  readonly sink: { failing: boolean }
  connector(options: { readonly subaccount: string; readonly locationId?: string }): Promise<TunnelClient>
}

async function startScene(mappings: readonly ServiceMapping[]): Promise<Scene> {
  const issuer = createTestIssuer({ clientId: 'c' })
  const verifier = createTokenVerifier({
    keys: createFixedKeySource([{ issuer: issuer.issuer, keys: issuer.keys }]),
    clock: systemClock,
    expiryToleranceSeconds: 0,
    notBeforeToleranceSeconds: 60,
    maxCachedTokens: 100,
    maxTokenBytes: 8192,
  })
  const audit: AuditEntry[] = []
  const sink = { failing: false, write: (entry: AuditEntry) => void audit.push(entry), flushed: () => Promise.resolve() }
  const serviceChannels = { mappings, clusterHosts: ['cp.example.org:443', 'localhost'] }
  const cloud = await startCloud({ verifier, audit: sink, log: silentLogger, serviceChannels })
  const clients: TunnelClient[] = []
  return {
    cloud,
    audit,
    sink,
    async connector({ subaccount, locationId = '' }) {
      const client = await dialCloud(await cloud.pair({ subaccount, locationId }), createTinyConnector({}))
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close({ graceMs: 0 })))
      await cloud[Symbol.asyncDispose]()
    },
  }
}

/** A service that answers once its client has ended: `<name>:<what it got>`. */
async function startService(
  name: string,
): Promise<{ readonly server: Server; readonly address: string; readonly sockets: Socket[] } & AsyncDisposable> {
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('end', () => socket.end(`${name}:${text}`))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    server,
    sockets,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Asked {
  readonly stream: TunnelStream
  readonly answer: Promise<string>
  /** All bytes, once the service has ended. */
  readonly text: Promise<string>
  readonly closed: Promise<StreamCloseReason>
}

function ask(client: TunnelClient, wanted: Partial<ChannelOpening> & { readonly serviceId: string }): Asked {
  const answer = Promise.withResolvers<string>()
  const text = Promise.withResolvers<string>()
  const closed = Promise.withResolvers<StreamCloseReason>()
  let got = ''
  const opening: ChannelOpening = { kind: 'channel', serviceType: 'TCP', correlationId: 'c-1', timeoutMs: 5_000, ...wanted }
  const stream = client.openChannel(opening, {
    onMessage(message) {
      const parsed = tryParseTcpAnswer(message)
      answer.resolve(parsed?.kind === 'refused' ? `${parsed.code}: ${parsed.message}` : (parsed?.kind ?? 'nonsense'))
    },
    onData(chunk) {
      got += chunk.toString()
      return true
    },
    onEnd() {
      text.resolve(got)
      stream.end()
    },
    onDrain() {},
    onClose: closed.resolve,
  })
  return { stream, answer: answer.promise, text: text.promise, closed: closed.promise }
}

describe('service channels of the connectivity service', () => {
  it('lead to the service of the mapping, and each direction ends by itself', async () => {
    await using service = await startService('orders')
    await using scene = await startScene([{ type: 'TCP', subaccountId: 'demo', serviceId: 'orders.db', internalAddress: service.address }])
    const client = await scene.connector({ subaccount: 'demo' })
    const asked = ask(client, { serviceId: 'Orders.DB' })
    expect(await asked.answer).toBe('connected')
    asked.stream.write(Buffer.from('question'))
    asked.stream.end()
    expect(await asked.text).toBe('orders:question')
    expect(await asked.closed).toEqual({ kind: 'finished' })
    expect(scene.cloud.service.serviceChannels).toEqual({ services: 1, openConnections: 0 })
    expect(scene.audit.filter((entry) => entry.type.startsWith('access'))).toEqual([])
  })

  it('are refused unless a mapping of that subaccount, type and location says otherwise, and the refusal is audited', async () => {
    await using service = await startService('x')
    const { address: internalAddress } = service
    await using scene = await startScene([
      { type: 'TCP', subaccountId: 'demo', serviceId: 'default-only', internalAddress },
      { type: 'TCP', subaccountId: 'demo', serviceId: 'plant-only', internalAddress, locationIds: ['plant'] },
      { type: 'TCP', subaccountId: 'demo', serviceId: 'both', internalAddress, locationIds: ['', 'plant'] },
      { type: 'TCP', subaccountId: 'demo', serviceId: 'nobody', internalAddress, locationIds: [] },
      { type: 'RFC', subaccountId: 'demo', serviceId: 'abap', internalAddress },
    ])
    const clients = {
      default: await scene.connector({ subaccount: 'demo' }),
      plant: await scene.connector({ subaccount: 'demo', locationId: 'plant' }),
      stranger: await scene.connector({ subaccount: 'other' }),
    }
    const outcome = async (who: keyof typeof clients, wanted: Partial<ChannelOpening> & { readonly serviceId: string }) => {
      const asked = ask(clients[who], wanted)
      const answer = await asked.answer
      asked.stream.reset('cancelled')
      return answer.replace(/:.*/, '')
    }
    const rfc = { serviceType: 'RFC' } as const
    expect(await outcome('default', { serviceId: 'default-only' })).toBe('connected')
    expect(await outcome('plant', { serviceId: 'default-only' })).toBe('ACCESS_DENIED')
    expect(await outcome('plant', { serviceId: 'plant-only' })).toBe('connected')
    expect(await outcome('default', { serviceId: 'plant-only' })).toBe('ACCESS_DENIED')
    expect([await outcome('default', { serviceId: 'both' }), await outcome('plant', { serviceId: 'both' })]).toEqual([
      'connected',
      'connected',
    ])
    expect(await outcome('default', { serviceId: 'nobody' })).toBe('ACCESS_DENIED')
    expect(await outcome('stranger', { serviceId: 'default-only' })).toBe('ACCESS_DENIED')
    expect(await outcome('default', { serviceId: 'default-only', ...rfc })).toBe('ACCESS_DENIED')
    expect(await outcome('default', { serviceId: 'abap', ...rfc })).toBe('connected')
    expect(await outcome('default', { serviceId: 'both', cluster: 'CP.example.org:443' })).toBe('connected')
    expect(await outcome('default', { serviceId: 'both', cluster: 'cp.example.org:444' })).toBe('ACCESS_DENIED')
    expect(await outcome('default', { serviceId: 'both', cluster: 'localhost:8042' })).toBe('connected')
    const before = scene.audit.length
    expect(await ask(clients.stranger, { serviceId: 'default-only' }).answer).toBe(
      'ACCESS_DENIED: no service mapping offers TCP service "default-only" to location ""',
    )
    // One of the same kind stands there already; its count comes with the end of the minute.
    expect(scene.audit.length).toBe(before)
    expect(scene.audit.filter((entry) => entry.subaccount === 'other' && entry.type === 'access-denied')).toMatchObject([
      {
        user: expect.stringMatching(/^connector-/),
        message: expect.stringContaining('no service mapping offers TCP service "default-only"'),
      },
    ])
  })

  it('say that a service is not there without naming where it should be, and are refused while nothing can be audited', async () => {
    const gone = await startService('gone')
    await gone[Symbol.asyncDispose]()
    await using scene = await startScene([{ type: 'TCP', subaccountId: 'demo', serviceId: 'gone', internalAddress: gone.address }])
    const client = await scene.connector({ subaccount: 'demo' })
    const asked = ask(client, { serviceId: 'gone' })
    expect(await asked.answer).toBe('BACKEND_UNREACHABLE: service "gone" cannot be reached: the connection failed')
    expect((await asked.closed).kind).toBe('finished')
    scene.sink.failing = true
    expect(await ask(client, { serviceId: 'gone' }).answer).toMatch(/^ACCESS_DENIED: the audit log/)
  })

  it('give up dialling with the connector that asked, and hang up on the service when it is cut off', async () => {
    await using service = await startService('x')
    await using scene = await startScene([{ type: 'TCP', subaccountId: 'demo', serviceId: 'x', internalAddress: service.address }])
    const client = await scene.connector({ subaccount: 'demo' })
    const early = ask(client, { serviceId: 'x' })
    early.stream.reset('cancelled')
    const asked = ask(client, { serviceId: 'x' })
    expect(await asked.answer).toBe('connected')
    await vi.waitFor(() => expect(scene.cloud.service.serviceChannels.openConnections).toBe(1))
    const reset = service.sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    const connectorId = scene.cloud.service.tunnels.list()[0]?.connectorId ?? ''
    await scene.cloud.service.revokeConnector({ subaccount: 'demo', connectorId, revokedBy: 'admin' })
    await Promise.all(reset)
    expect(await asked.closed).toEqual({ kind: 'lost' })
    expect(scene.cloud.service.serviceChannels.openConnections).toBe(0)
  })

  it('follow other mappings at once: what is not allowed any more or leads elsewhere is cut, the rest goes on, and changes are audited', async () => {
    await using one = await startService('one')
    await using two = await startService('two')
    const mapping = (serviceId: string, internalAddress: string): ServiceMapping => ({
      type: 'TCP',
      subaccountId: 'demo',
      serviceId,
      internalAddress,
    })
    await using scene = await startScene([mapping('kept', one.address), mapping('moved', one.address), mapping('gone', one.address)])
    const { service } = scene.cloud
    const client = await scene.connector({ subaccount: 'demo' })
    const [kept, moved, gone] = [
      ask(client, { serviceId: 'kept' }),
      ask(client, { serviceId: 'moved' }),
      ask(client, { serviceId: 'gone' }),
    ]
    expect(await Promise.all([kept, moved, gone].map(({ answer }) => answer))).toEqual(['connected', 'connected', 'connected'])
    service.replaceServiceChannels({ mappings: [mapping('kept', one.address), mapping('moved', two.address)], clusterHosts: [] }, 'admin')
    expect((await Promise.all([moved.closed, gone.closed])).map(({ kind }) => kind)).toEqual(['reset', 'reset'])
    kept.stream.end()
    expect(await kept.text).toBe('one:')
    const again = ask(client, { serviceId: 'moved' })
    again.stream.end()
    expect(await again.text).toBe('two:')
    expect(await ask(client, { serviceId: 'gone' }).answer).toMatch(/^ACCESS_DENIED/)
    expect(scene.audit.filter(({ category }) => category === 'ServiceChannelConfiguration')).toMatchObject([
      { subaccount: 'demo', user: 'admin', message: expect.stringMatching(/^service mapping TCP moved changed from .* to /) },
      { subaccount: 'demo', user: 'admin', message: expect.stringMatching(/^service mapping TCP gone changed from .* to \{\}$/) },
    ])
    const wrong = { mappings: [mapping('kept', 'nowhere')], clusterHosts: [] }
    expect(() => service.replaceServiceChannels(wrong, 'admin')).toThrow(/is not an address/)
    expect(service.serviceChannels.services).toBe(2)
  })

  it('carry megabytes to a reader that pauses, without holding them', async () => {
    let reader: Socket | undefined
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      reader = socket.pause()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const internalAddress = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await using scene = await startScene([{ type: 'TCP', subaccountId: 'demo', serviceId: 'slow', internalAddress }])
    const client = await scene.connector({ subaccount: 'demo' })
    const asked = ask(client, { serviceId: 'slow' })
    expect(await asked.answer).toBe('connected')
    const chunk = Buffer.alloc(65_536, 1)
    let sent = 0
    while (asked.stream.write(chunk)) sent += chunk.length
    // The window of a stream and the buffers of three sockets; without back pressure this would never end.
    expect(sent).toBeLessThan(64 << 20)
    asked.stream.end()
    let received = 0
    reader?.on('data', (part) => (received += part.length))
    reader?.resume()
    await once(reader as Socket, 'end')
    expect(received).toBe(sent + chunk.length)
    reader?.end()
    expect(await asked.closed).toEqual({ kind: 'finished' })
    server.close()
  })

  it.each([
    [
      'twice',
      [
        ['a', 'h:1'],
        ['A', 'h:2'],
      ],
      /TCP service "A" in subaccount demo stands twice/,
    ],
    ['without port', [['a', 'h']], /"h" is not an address/],
  ] as const)('are not served at all with a mapping %s', (_, written, message) => {
    const mappings = written.map(([serviceId, internalAddress]): ServiceMapping => ({
      type: 'TCP',
      subaccountId: 'demo',
      serviceId,
      internalAddress,
    }))
    const options = { serviceChannels: { mappings, clusterHosts: [] } } as unknown as Parameters<typeof createConnectivityService>[0]
    expect(() => createConnectivityService(options)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(message) }),
    )
  })
})
