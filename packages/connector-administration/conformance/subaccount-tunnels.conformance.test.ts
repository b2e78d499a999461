import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import type { MaterialStore } from '@sallyport/cloud-connector'
import { ConnectivityError, type TunnelStream } from '@sallyport/core'
import { formatMessage, toDuplex } from '@sallyport/tunnel'
import { createConnectProxy } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { region } from './small-cloud.ts'
import { demo, startSubaccountBench, type SubaccountBench, subaccounts } from './subaccount-bench.ts'

const day = 86_400_000

let world: SubaccountBench
beforeEach(async () => {
  world = await startSubaccountBench()
})
afterEach(() => world[Symbol.asyncDispose]())

describe('the tunnel of a subaccount', () => {
  it('CC-028 CC-029 is cut and opened again, without credentials, and stays cut over a restart', async () => {
    await world.add()
    expect((await world.bench.call('PUT', `${demo}/state`, { connected: false })).status).toBe(204)
    expect((await world.read()).tunnel).toMatchObject({ state: 'Disconnected', connectedSinceTimeStamp: 0 })
    expect(world.tunnels()).toEqual([])
    await world.restart()
    expect((await world.read()).tunnel.state).toBe('Disconnected')
    expect((await world.bench.call('PUT', `${demo}/state`, { connected: 'true' })).status).toBe(204)
    expect((await world.read()).tunnel).toMatchObject({ state: 'Connected', connectedSinceTimeStamp: world.clock.now() })
    expect(world.cloud.shown).toHaveLength(1)
  })

  it('CC-031 gets one attempt after a start, and another when it is asked for', async () => {
    await world.add()
    await world.stop()
    await world.cloud.service.close({ graceMs: 0 })
    await world.start()
    await expect.poll(async () => (await world.read()).tunnel.state).toBe('ConnectFailure')
    const [link] = world.bench.connector.status.links
    expect(link?.tunnel).toMatchObject({ kind: 'failed', reason: 'attempts-exhausted', retryAtMs: undefined })
    world.clock.advance(10 * day)
    expect(world.bench.connector.status.links[0]?.tunnel).toBe(link?.tunnel)
    await world.bench.call('PUT', `${demo}/state`, { connected: true })
    expect(world.bench.connector.status.links[0]?.tunnel).not.toBe(link?.tunnel)
  })

  it('CC-030 is tried 150 times after it was lost, then no more', async () => {
    await world.add()
    await world.cloud.service.close({ graceMs: 0 })
    let attempts = 0
    const seen = new Set<unknown>()
    await expect
      .poll(
        () => {
          const { tunnel } = world.bench.connector.status.links[0] ?? {}
          if (tunnel?.kind === 'connecting' && tunnel.retryAtMs !== undefined && !seen.has(tunnel)) {
            seen.add(tunnel)
            attempts = tunnel.attempt
            world.clock.set(tunnel.retryAtMs)
          }
          return tunnel
        },
        { timeout: 20_000, interval: 1 },
      )
      .toMatchObject({ kind: 'failed', reason: 'attempts-exhausted', retryAtMs: undefined })
    // The loss itself is the first failure; the number is that of the attempt that was announced last.
    expect(attempts).toBe(150)
    expect((await world.read()).tunnel.state).toBe('ConnectFailure')
  })

  it('shows who has connections open, and how many, by the client ID that the application has shown', async () => {
    await world.add()
    const opening = { kind: 'tcp', subaccount: 'demo', locationId: '', virtualHost: 'a', virtualPort: 1, correlationId: 'c' } as const
    const backend = createTcpServer((socket) => socket.on('error', () => {}))
    await once(backend.listen(0, '127.0.0.1'), 'listening')
    const localPort = String((backend.address() as AddressInfo).port)
    const mapping = {
      virtualHost: 'a',
      virtualPort: '1',
      localHost: '127.0.0.1',
      localPort,
      protocol: 'TCP',
      backendType: 'nonSAPsys',
      authenticationMode: 'NONE',
    }
    expect((await world.bench.call('POST', `${demo}/systemMappings`, mapping)).status).toBe(201)
    const open = (application?: string) => {
      const more = application === undefined ? {} : { application }
      const message = formatMessage({ ...opening, timeoutMs: 5_000, ...more })
      const quiet = { onData: () => true, onEnd() {}, onDrain() {}, onClose() {} }
      return world.cloud.service.tunnels.find('demo', '')?.openStream(message, quiet)
    }
    const streams = [open('orders'), open('orders'), open('billing'), open()]
    const shown = async (): Promise<unknown> => (await world.read()).tunnel.applicationConnections
    const of = (connectionCount: number, name: string): unknown => ({ connectionCount, name, type: 'JAVA' })
    await expect.poll(shown).toEqual([of(2, 'orders'), of(1, 'billing'), of(1, 'demo')])
    expect((await world.read()).tunnel.connections).toBe(4)
    const watched = (await world.bench.call('GET', '/api/monitoring/subaccounts')).json().subaccounts[0].tunnel
    expect(watched.applicationConnections).toEqual(await shown())
    for (const stream of streams) stream?.reset('cancelled')
    await expect.poll(shown).toEqual([])
    backend.close()
  })

  it('CC-027 exposes nothing before somebody configures it', async () => {
    await world.add()
    const tunnel = world.cloud.service.tunnels.find('demo', '')
    const opening = { kind: 'http', subaccount: 'demo', locationId: '', virtualHost: '127.0.0.1', virtualPort: world.bench.port } as const
    const stream = toDuplex((handlers) => tunnel?.openStream(formatMessage({ ...opening, correlationId: 'c' }), handlers) as TunnelStream)
    stream.on('error', () => {}).end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    let answer = ''
    for await (const chunk of stream) answer += String(chunk)
    expect(answer).toMatch(/^HTTP\/1.1 403 [^]*Access denied to system/)
  })

  it('moves to another location ID with all that is configured', async () => {
    await world.add()
    await world.bench.call('POST', `${demo}/domainMappings`, { virtualDomain: 'v', internalDomain: 'i' })
    const { serialNumber } = (await world.read()).tunnel.subaccountCertificate
    const answer = await world.bench.call('PUT', demo, { locationID: 'plant-7' })
    expect(answer.json()).toMatchObject({ locationID: 'plant-7', tunnel: { state: 'Connected', subaccountCertificate: { serialNumber } } })
    expect(world.cloud.service.tunnels.list()).toMatchObject([{ locationId: 'plant-7' }])
    expect((await world.bench.material.names()).filter((name) => name.startsWith('identity'))).toEqual(['identity demo plant-7'])
    await world.restart()
    await expect.poll(async () => (await world.read()).tunnel.state).toBe('Connected')
    expect((await world.bench.call('GET', `${demo}/domainMappings`)).json()).toHaveLength(1)
  })
})

describe('a move to another location ID that ends midway', () => {
  /** The disk refuses every change from one on. */
  const failing = (material: MaterialStore) => {
    let left = Number.POSITIVE_INFINITY
    const change = async (work: () => Promise<void>): Promise<void> => {
      if (left-- <= 0) throw new ConnectivityError('STORE_FAILED', 'the disk is full')
      await work()
    }
    return {
      allow: (changes: number) => void (left = changes),
      material: {
        load: (name) => material.load(name),
        names: () => material.names(),
        save: (name, text) => change(() => material.save(name, text)),
        remove: (name) => change(() => material.remove(name)),
      } satisfies MaterialStore,
    }
  }
  const restart = async (material: MaterialStore): Promise<void> => {
    await world.restart({ material })
  }

  it('leaves the tunnel as it was when nothing can be kept', async () => {
    const disk = failing(world.bench.material)
    await restart(disk.material)
    await world.add()
    disk.allow(0)
    expect((await world.bench.call('PUT', demo, { locationID: 'plant-7' })).status).toBe(500)
    disk.allow(Number.POSITIVE_INFINITY)
    await expect.poll(async () => (await world.read()).tunnel.state).toBe('Connected')
    expect(await world.read()).toMatchObject({ locationID: '' })
    expect(world.cloud.service.tunnels.list()).toMatchObject([{ locationId: '' }])
    expect((await world.bench.call('PUT', demo, { locationID: 'plant-7' })).json()).toMatchObject({ tunnel: { state: 'Connected' } })
  })

  it('leaves one subaccount with its certificate, wherever a kill comes', async () => {
    const base = world.bench.material
    await world.add()
    const moved = new Set<string>()
    for (let changes = 0, done = false; !done; changes++) {
      const disk = failing(base)
      await restart(disk.material)
      const from = (await world.read()).locationID
      const to = from === '' ? 'plant-7' : ''
      disk.allow(changes)
      done = (await world.bench.call('PUT', demo, { locationID: to })).status === 200
      await restart(base)
      const { locationID } = await world.read()
      expect((await world.bench.call('GET', subaccounts)).json()).toMatchObject([{ subaccount: 'demo', locationID }])
      expect((await base.names()).filter((name) => name.startsWith('identity'))).toEqual([`identity demo ${locationID}`])
      await expect.poll(() => world.cloud.service.tunnels.list()).toMatchObject([{ locationId: locationID }])
      moved.add(`${changes} ${locationID === to ? 'moved' : 'stayed'}`)
    }
    expect([...moved].some((end) => end.endsWith('stayed'))).toBe(true)
    expect(moved.size).toBeGreaterThan(2)
  })
})

describe('the proxy on the way to the cloud side', () => {
  it('CC-015 is used for certificates and tunnels, with Basic credentials; that it wants others is told', async () => {
    const proxy = await createConnectProxy({
      credentials: { user: 'p', password: 'q' },
      route: (authority) => ({ host: '127.0.0.1', port: Number(authority.split(':')[1]) }),
    })
    const path = '/api/v1/configuration/connector/proxy'
    try {
      await world.bench.call('PUT', path, { ...proxy.address, user: 'p', password: 'q' })
      expect((await world.add()).json().tunnel.state).toBe('Connected')
      // One for the certificate, and one for each lane of the tunnel.
      const tunnel = world.cloud.service.addresses.tunnel?.host
      expect(proxy.heads.map((head) => head.split(' ')[1])).toEqual([new URL(world.cloud.url).host, tunnel, tunnel])
      await world.bench.call('PUT', path, { ...proxy.address, user: 'p', password: 'wrong' })
      await world.bench.call('PUT', `${demo}/state`, { connected: false })
      const settled = world.bench.call('PUT', `${demo}/state`, { connected: true })
      await expect.poll(async () => (await world.read()).tunnel.state).toBe('ConnectFailure')
      expect((await world.bench.call('GET', `/api/private/v1/subaccounts/${region}/demo/tunnel`)).json().cause).toContain('407')
      await world.bench.call('DELETE', path)
      await world.bench.call('PUT', `${demo}/state`, { connected: false })
      await settled
      await world.bench.call('PUT', `${demo}/state`, { connected: true })
      expect((await world.read()).tunnel.state).toBe('Connected')
    } finally {
      await proxy[Symbol.asyncDispose]()
    }
  })
})

it('CC-042 parameters of tunnels are taken within their bounds, and none without connections for applications', async () => {
  const path = '/api/private/v1/connectivity'
  expect((await world.bench.call('PUT', path, { applicationTunnelConnections: 0 })).status).toBe(400)
  expect((await world.bench.call('PUT', path, { applicationTunnelConnections: '3', maxReconnectAttempts: 10 })).status).toBe(204)
  expect((await world.bench.call('GET', path)).json()).toEqual({ applicationTunnelConnections: 3, maxReconnectAttempts: 10 })
  expect((await world.bench.call('PUT', path, { maxReconnectAttempts: 20 }, { as: 'sccsubadmin' })).status).toBe(403)
})
