import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import type { MaterialStore } from '@sallyport/cloud-connector'
import { ConnectivityError, type TunnelStream } from '@sallyport/core'
import { formatMessage, toDuplex } from '@sallyport/tunnel'
import { createConnectProxy, createManualClock, type ManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from './administration-bench.ts'
import { region, type SmallCloud, startSmallCloud } from './small-cloud.ts'

const subaccounts = '/api/v1/configuration/subaccounts'
const demo = `${subaccounts}/${region}/demo`
const day = 86_400_000

let clock: ManualClock
let cloud: SmallCloud
let bench: AdministrationBench
beforeEach(async () => {
  clock = createManualClock(Date.now())
  cloud = await startSmallCloud({ clock })
  bench = await startAdministrationBench({ haRole: 'master', clock })
  await bench.call('POST', '/api/private/v1/regions', { name: 'Self', host: region, url: cloud.url, authority: cloud.authority })
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await cloud[Symbol.asyncDispose]()
})

const byUser = { regionHost: region, subaccount: 'demo', cloudUser: 'admin', cloudPassword: 'secret' }
const add = (more: object = {}): Promise<BenchAnswer> => bench.call('POST', subaccounts, { ...byUser, ...more })
const read = async () => (await bench.call('GET', demo)).json()
const tunnels = (): readonly string[] => cloud.service.tunnels.list().map(({ tunnelId }) => tunnelId)

describe('a subaccount that is added', () => {
  it('CC-016 CC-019 CC-025 CC-169 is connected, and answered as a whole, at a Location of its own', async () => {
    const answer = await add({ description: 'plant 7', displayName: '', autoCertRenewal: 'true' })
    const href = `https://127.0.0.1:${bench.port}${demo}`
    expect([answer.status, answer.headers['location']]).toEqual([201, href])
    const link = (end: string) => ({ href: `${href}/${end}` })
    expect(answer.json()).toEqual({
      description: 'plant 7',
      displayName: 'demo',
      autoCertRenewal: true,
      tunnel: {
        state: 'Connected',
        connectedSinceTimeStamp: clock.now(),
        connections: 0,
        applicationConnections: [],
        serviceChannels: [],
        subaccountCertificate: {
          notAfterTimeStamp: expect.any(Number),
          notBeforeTimeStamp: expect.any(Number),
          subjectDN: 'CN=demo,OU=bench,O=Sallyport',
          issuer: 'CN=Sallyport Connector CA 1,O=Sallyport',
          serialNumber: expect.stringMatching(/^([0-9a-f]{2}:)+[0-9a-f]{2}$/),
        },
        user: 'admin',
      },
      isManaged: false,
      _links: {
        self: { href },
        state: link('state'),
        validity: link('validity'),
        systemMappings: link('systemMappings'),
        domainMappings: link('domainMappings'),
        'ABAPCloud-channels': link('channels/ABAPCloud'),
        'HANA-channels': link('channels/HANA'),
        'K8S-channels': link('channels/K8S'),
        'VirtualMachine-channels': link('channels/VirtualMachine'),
      },
      regionHost: region,
      subaccount: 'demo',
      locationID: '',
    })
    expect(await read()).toEqual(answer.json())
    const { _links: links } = answer.json()
    expect((await bench.call('GET', subaccounts)).json()).toEqual([
      { _links: links, regionHost: region, subaccount: 'demo', locationID: '' },
    ])
    expect(tunnels()).toHaveLength(1)
  })

  it('CC-017 is not added again', async () => {
    await add()
    const again = await add({ locationID: 'elsewhere' })
    expect([again.status, again.json().type]).toEqual([409, 'INVALID_CONFIGURATION'])
    expect(cloud.shown).toHaveLength(1)
  })

  it('CC-018 needs region, subaccount, user and password', async () => {
    for (const name of ['regionHost', 'subaccount', 'cloudUser', 'cloudPassword']) {
      const answer = await add({ [name]: undefined })
      expect([name, answer.status, answer.json().type]).toEqual([name, 400, 'INVALID_REQUEST'])
      expect(answer.json().message).toContain(name)
    }
    expect((await add({ locationID: 'not/fit' })).status).toBe(400)
    expect((await add({ regionHost: 'no host' })).status).toBe(400)
    expect(cloud.shown).toEqual([])
  })

  it.each([
    ['a wrong password', { cloudPassword: 'guess' }, 'belong together'],
    ['a subaccount that does not exist', { subaccount: 'unknown' }, 'belong together'],
    ['a user without the role', { cloudUser: 'jane' }, 'may not add connectors'],
  ])('is refused for %s, and leaves nothing behind', async (_case, wrong, reason) => {
    const before = await bench.material.names()
    const answer = await add(wrong)
    expect([answer.status, answer.json()]).toEqual([400, { type: 'INVALID_REQUEST', message: expect.stringContaining(reason) }])
    expect(answer.body).not.toContain('guess')
    expect((await bench.call('GET', subaccounts)).json()).toEqual([])
    expect(await bench.material.names()).toEqual(before)
    expect((await add()).status).toBe(201)
  })

  it('CC-022 comes with a passcode instead of a password, for itself alone and once', async () => {
    const passcode = await cloud.code('demo')
    const byPasscode = { cloudUser: '$SAP-CP-SSO-PASSCODE$', cloudPassword: passcode }
    expect((await add({ ...byPasscode, subaccount: 'other' })).status).toBe(400)
    const answer = await add(byPasscode)
    expect([answer.status, answer.json().tunnel]).toEqual([201, expect.objectContaining({ state: 'Connected', user: 'admin' })])
    expect(cloud.shown).toEqual([])
    const renewal = { user: '$SAP-CP-SSO-PASSCODE$', password: passcode }
    expect((await bench.call('POST', `${demo}/validity`, renewal)).status).toBe(400)
    expect((await bench.call('POST', `${demo}/validity`, { ...renewal, password: await cloud.code('demo') })).status).toBe(200)
  })

  it('CC-023 lets a second factor at the end of the password through as it is', async () => {
    expect((await add({ cloudPassword: 'secret123456' })).status).toBe(201)
    expect(cloud.shown).toEqual([{ subaccount: 'demo', user: 'admin', password: 'secret123456' }])
  })

  it('CC-019 CC-020 comes with authentication data, which counts for more than what else is said', async () => {
    const answer = await bench.call('POST', subaccounts, {
      regionHost: 'elsewhere.example',
      subaccount: 'other',
      cloudUser: 'jane',
      cloudPassword: 'guess',
      authenticationData: await cloud.authenticationData('demo'),
    })
    expect(answer.status).toBe(201)
    expect(answer.json()).toMatchObject({
      regionHost: region,
      subaccount: 'demo',
      displayName: 'demo of Acme',
      tunnel: { state: 'Connected' },
    })
    expect(cloud.shown).toEqual([])
  })

  it('CC-021 authentication data that has expired, by its own word or that of the service, adds nothing', async () => {
    const stale = [await cloud.authenticationData('demo', { expiresAtMs: clock.now() - 1 })]
    // The text can be changed; the code in it cannot.
    stale.push(await cloud.authenticationData('demo', { expiresAtMs: clock.now() + day }))
    clock.advance(16 * 60_000)
    for (const authenticationData of [...stale, 'rubbish']) {
      expect((await bench.call('POST', subaccounts, { authenticationData })).status).toBe(400)
      expect((await bench.call('GET', subaccounts)).json()).toEqual([])
    }
    expect((await bench.material.names()).filter((name) => name.startsWith('identity'))).toEqual([])
  })

  it('CC-024 stays managed or not, and an administrator may change the rest', async () => {
    await add({ isManaged: true })
    const changed = await bench.call('PUT', demo, { isManaged: false, description: 'x', displayName: 'Plant', autoCertRenewal: true })
    expect([changed.status, changed.json()]).toEqual([
      200,
      expect.objectContaining({ isManaged: true, description: 'x', displayName: 'Plant', autoCertRenewal: true }),
    ])
    // What is not given stays, and an empty name is that of the subaccount.
    expect((await bench.call('PUT', demo, { displayName: '' })).json()).toMatchObject({
      description: 'x',
      displayName: 'demo',
      autoCertRenewal: true,
    })
    expect((await bench.call('PUT', demo, { description: 'y' }, { as: 'sccsubadmin' })).status).toBe(403)
  })

  it('CC-026 is told when another installation has its location ID already', async () => {
    await add()
    const other = await startAdministrationBench({ haRole: 'master', clock, connectorId: 'other' })
    try {
      const answer = await other.call('POST', subaccounts, { authenticationData: await cloud.authenticationData('demo') })
      expect([answer.status, answer.json().tunnel.state]).toEqual([201, 'ConnectFailure'])
      const { cause } = (await other.call('GET', `/api/private/v1/subaccounts/${region}/demo/tunnel`)).json()
      expect(cause).toContain('location ID')
      expect((await read()).tunnel.state).toBe('Connected')
      // With one of its own both are connected.
      expect((await other.call('PUT', demo, { locationID: 'second' })).json().tunnel.state).toBe('Connected')
      expect(tunnels()).toHaveLength(2)
    } finally {
      await other[Symbol.asyncDispose]()
    }
  })
})

describe('the tunnel of a subaccount', () => {
  it('CC-028 CC-029 is cut and opened again, without credentials, and stays cut over a restart', async () => {
    await add()
    expect((await bench.call('PUT', `${demo}/state`, { connected: false })).status).toBe(204)
    expect((await read()).tunnel).toMatchObject({ state: 'Disconnected', connectedSinceTimeStamp: 0 })
    expect(tunnels()).toEqual([])
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ clock, material: bench.material })
    expect((await read()).tunnel.state).toBe('Disconnected')
    expect((await bench.call('PUT', `${demo}/state`, { connected: 'true' })).status).toBe(204)
    expect((await read()).tunnel).toMatchObject({ state: 'Connected', connectedSinceTimeStamp: clock.now() })
    expect(cloud.shown).toHaveLength(1)
  })

  it('CC-031 gets one attempt after a start, and another when it is asked for', async () => {
    await add()
    await bench[Symbol.asyncDispose]()
    await cloud.service.close({ graceMs: 0 })
    bench = await startAdministrationBench({ clock, material: bench.material })
    await expect.poll(async () => (await read()).tunnel.state).toBe('ConnectFailure')
    const [link] = bench.connector.status.links
    expect(link?.tunnel).toMatchObject({ kind: 'failed', reason: 'attempts-exhausted', retryAtMs: undefined })
    clock.advance(10 * day)
    expect(bench.connector.status.links[0]?.tunnel).toBe(link?.tunnel)
    await bench.call('PUT', `${demo}/state`, { connected: true })
    expect(bench.connector.status.links[0]?.tunnel).not.toBe(link?.tunnel)
  })

  it('CC-030 is tried 150 times after it was lost, then no more', async () => {
    await add()
    await cloud.service.close({ graceMs: 0 })
    let attempts = 0
    const seen = new Set<unknown>()
    await expect
      .poll(
        () => {
          const { tunnel } = bench.connector.status.links[0] ?? {}
          if (tunnel?.kind === 'connecting' && tunnel.retryAtMs !== undefined && !seen.has(tunnel)) {
            seen.add(tunnel)
            attempts = tunnel.attempt
            clock.set(tunnel.retryAtMs)
          }
          return tunnel
        },
        { timeout: 20_000, interval: 1 },
      )
      .toMatchObject({ kind: 'failed', reason: 'attempts-exhausted', retryAtMs: undefined })
    // The loss itself is the first failure; the number is that of the attempt that was announced last.
    expect(attempts).toBe(150)
    expect((await read()).tunnel.state).toBe('ConnectFailure')
  })

  it('shows who has connections open, and how many, by the client ID that the application has shown', async () => {
    await add()
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
    expect((await bench.call('POST', `${demo}/systemMappings`, mapping)).status).toBe(201)
    const open = (application?: string) => {
      const more = application === undefined ? {} : { application }
      const message = formatMessage({ ...opening, timeoutMs: 5_000, ...more })
      const quiet = { onData: () => true, onEnd() {}, onDrain() {}, onClose() {} }
      return cloud.service.tunnels.find('demo', '')?.openStream(message, quiet)
    }
    const streams = [open('orders'), open('orders'), open('billing'), open()]
    const shown = async (): Promise<unknown> => (await read()).tunnel.applicationConnections
    const of = (connectionCount: number, name: string): unknown => ({ connectionCount, name, type: 'JAVA' })
    await expect.poll(shown).toEqual([of(2, 'orders'), of(1, 'billing'), of(1, 'demo')])
    expect((await read()).tunnel.connections).toBe(4)
    const watched = (await bench.call('GET', '/api/monitoring/subaccounts')).json().subaccounts[0].tunnel
    expect(watched.applicationConnections).toEqual(await shown())
    for (const stream of streams) stream?.reset('cancelled')
    await expect.poll(shown).toEqual([])
    backend.close()
  })

  it('CC-027 exposes nothing before somebody configures it', async () => {
    await add()
    const tunnel = cloud.service.tunnels.find('demo', '')
    const opening = { kind: 'http', subaccount: 'demo', locationId: '', virtualHost: '127.0.0.1', virtualPort: bench.port } as const
    const stream = toDuplex((handlers) => tunnel?.openStream(formatMessage({ ...opening, correlationId: 'c' }), handlers) as TunnelStream)
    stream.on('error', () => {}).end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    let answer = ''
    for await (const chunk of stream) answer += String(chunk)
    expect(answer).toMatch(/^HTTP\/1.1 403 [^]*Access denied to system/)
  })

  it('moves to another location ID with all that is configured', async () => {
    await add()
    await bench.call('POST', `${demo}/domainMappings`, { virtualDomain: 'v', internalDomain: 'i' })
    const { serialNumber } = (await read()).tunnel.subaccountCertificate
    const answer = await bench.call('PUT', demo, { locationID: 'plant-7' })
    expect(answer.json()).toMatchObject({ locationID: 'plant-7', tunnel: { state: 'Connected', subaccountCertificate: { serialNumber } } })
    expect(cloud.service.tunnels.list()).toMatchObject([{ locationId: 'plant-7' }])
    expect((await bench.material.names()).filter((name) => name.startsWith('identity'))).toEqual(['identity demo plant-7'])
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ clock, material: bench.material })
    await expect.poll(async () => (await read()).tunnel.state).toBe('Connected')
    expect((await bench.call('GET', `${demo}/domainMappings`)).json()).toHaveLength(1)
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
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ clock, material })
  }

  it('leaves the tunnel as it was when nothing can be kept', async () => {
    const disk = failing(bench.material)
    await restart(disk.material)
    await add()
    disk.allow(0)
    expect((await bench.call('PUT', demo, { locationID: 'plant-7' })).status).toBe(500)
    disk.allow(Number.POSITIVE_INFINITY)
    await expect.poll(async () => (await read()).tunnel.state).toBe('Connected')
    expect(await read()).toMatchObject({ locationID: '' })
    expect(cloud.service.tunnels.list()).toMatchObject([{ locationId: '' }])
    expect((await bench.call('PUT', demo, { locationID: 'plant-7' })).json()).toMatchObject({ tunnel: { state: 'Connected' } })
  })

  it('leaves one subaccount with its certificate, wherever a kill comes', async () => {
    const base = bench.material
    await add()
    const moved = new Set<string>()
    for (let changes = 0, done = false; !done; changes++) {
      const disk = failing(base)
      await restart(disk.material)
      const from = (await read()).locationID
      const to = from === '' ? 'plant-7' : ''
      disk.allow(changes)
      done = (await bench.call('PUT', demo, { locationID: to })).status === 200
      await restart(base)
      const { locationID } = await read()
      expect((await bench.call('GET', subaccounts)).json()).toMatchObject([{ subaccount: 'demo', locationID }])
      expect((await base.names()).filter((name) => name.startsWith('identity'))).toEqual([`identity demo ${locationID}`])
      await expect.poll(() => cloud.service.tunnels.list()).toMatchObject([{ locationId: locationID }])
      moved.add(`${changes} ${locationID === to ? 'moved' : 'stayed'}`)
    }
    expect([...moved].some((end) => end.endsWith('stayed'))).toBe(true)
    expect(moved.size).toBeGreaterThan(2)
  })
})

describe('the certificate of a subaccount', () => {
  it('CC-038 is valid for a year, and since an hour ago', async () => {
    await add()
    const { notAfterTimeStamp, notBeforeTimeStamp } = (await read()).tunnel.subaccountCertificate
    expect(Math.abs(clock.now() - 3_600_000 - notBeforeTimeStamp)).toBeLessThan(1000)
    expect(Math.abs(clock.now() + 365 * day - notAfterTimeStamp)).toBeLessThan(1000)
  })

  it('CC-034 is renewed by user and password, and by authentication data, for a year from then', async () => {
    await add()
    for (const body of [
      () => ({ user: 'admin', password: 'secret' }),
      () => ({ cloudUser: 'admin', cloudPassword: 'secret' }),
      async () => ({ authenticationData: await cloud.authenticationData('demo') }),
    ]) {
      clock.advance(10 * day)
      const before = (await read()).tunnel.subaccountCertificate
      const answer = await bench.call('POST', `${demo}/validity`, await body())
      expect(answer.status).toBe(200)
      const after = answer.json().tunnel.subaccountCertificate
      expect(after.serialNumber).not.toBe(before.serialNumber)
      expect(Math.abs(clock.now() + 365 * day - after.notAfterTimeStamp)).toBeLessThan(1000)
    }
    expect((await bench.call('POST', `${demo}/validity`, { user: 'admin', password: 'guess' })).status).toBe(400)
    expect((await bench.call('POST', `${demo}/validity`, {})).status).toBe(400)
    const kept = JSON.parse((await bench.material.load('identity demo ')) ?? '{}') as { readonly certificate: string }
    const { serialNumber } = (await read()).tunnel.subaccountCertificate
    expect(new X509Certificate(kept.certificate).serialNumber.toLowerCase()).toBe(serialNumber.replaceAll(':', ''))
  })

  it('CC-035 is not renewed by authentication data for elsewhere', async () => {
    await add()
    const before = (await read()).tunnel.subaccountCertificate
    for (const authenticationData of [
      await cloud.authenticationData('demo', { regionHost: 'cf.other.example' }),
      await cloud.authenticationData('other'),
    ]) {
      expect((await bench.call('POST', `${demo}/validity`, { authenticationData })).status).toBe(400)
    }
    expect((await read()).tunnel.subaccountCertificate).toEqual(before)
  })
})

describe('a subaccount that is removed', () => {
  it('waits for whoever has it open, where pages tell who that is', async () => {
    let lockedBy: string | undefined = 'jane'
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({
      clock,
      material: bench.material,
      isLocked: (_name, user) => lockedBy !== undefined && user !== lockedBy,
    })
    await add()
    const answer = await bench.call('DELETE', demo)
    expect([answer.status, answer.json().type]).toEqual([409, 'ILLEGAL_STATE'])
    lockedBy = undefined
    expect((await bench.call('DELETE', demo)).status).toBe(204)
  })

  it('CC-033 takes tunnel, certificate and everything below along, and can be added anew', async () => {
    await add()
    expect((await bench.call('DELETE', demo)).status).toBe(204)
    for (const end of ['', '/systemMappings', '/domainMappings', '/systemMappings/a:1/resources/-'])
      expect([(await bench.call('GET', `${demo}${end}`)).status, (await bench.call('GET', `${demo}${end}`)).json()]).toEqual([
        404,
        { type: 'NOT_FOUND', message: `Subaccount with value 'demo@${region}' does not exist` },
      ])
    expect((await bench.call('PUT', `${demo}/state`, { connected: true })).status).toBe(404)
    expect(tunnels()).toEqual([])
    expect((await bench.material.names()).filter((name) => name.includes('demo'))).toEqual([])
    expect((await add()).json().tunnel.state).toBe('Connected')
  })

  it('CC-174 recovery is gone for good, whatever is asked of it', async () => {
    for (const [method, end] of [
      ['POST', ''],
      ['DELETE', ''],
      ['POST', '/validity'],
      ['PUT', '/state'],
      ['POST', '/takeover'],
    ] as const) {
      const answer = await bench.call(method, `${demo}/recovery${end}`, method === 'DELETE' ? undefined : {})
      expect([method, end, answer.status, answer.json().message]).toEqual([method, end, 410, expect.any(String)])
    }
  })
})

describe('regions', () => {
  it('CC-039 one that was added is in the list and leads to its own service', async () => {
    const list = (await bench.call('GET', '/api/private/v1/regions')).json()
    expect(list[0]).toEqual({ name: 'Self', host: region, custom: true })
    expect(list).toContainEqual({ name: 'Europe (Frankfurt) - AWS', host: 'cf.eu10.hana.ondemand.com', custom: false })
    expect((await add()).status).toBe(201)
    const moved = { name: 'Moved', host: region, url: 'https://127.0.0.1:9', authority: cloud.authority }
    expect((await bench.call('PUT', `/api/private/v1/regions/${region}`, moved)).status).toBe(204)
    const answer = await bench.call('POST', subaccounts, { ...byUser, subaccount: 'second' })
    expect([answer.status, answer.json()]).toEqual([500, { type: 'RUNTIME_FAILURE', message: expect.stringContaining('127.0.0.1:9') }])
    expect((await bench.call('DELETE', `/api/private/v1/regions/${region}`)).status).toBe(204)
    expect((await bench.call('DELETE', `/api/private/v1/regions/${region}`)).status).toBe(404)
    // What was added before still knows where its certificates come from.
    expect((await bench.call('POST', `${demo}/validity`, { user: 'admin', password: 'secret' })).status).toBe(200)
  })
})

describe('trust', () => {
  it('CC-048 PP-006 is empty for a new subaccount, is not kept up to date before it was fetched once, follows the cloud side when it is told to, and leaves single issuers out', async () => {
    cloud.issuers.push({ issuer: 'https://idp.example', name: 'Corporate', type: 'OIDC', keys: [] })
    await add()
    const trust = `${demo}/trust`
    expect((await bench.call('GET', trust)).json()).toEqual({ autoSyncTrustEnabled: false })
    expect((await bench.call('GET', `${trust}/idps`)).json()).toEqual([])
    expect((await bench.call('PUT', trust, { autoSyncTrustEnabled: true })).status).toBe(400)
    expect((await bench.call('GET', trust)).json()).toEqual({ autoSyncTrustEnabled: false })
    expect((await bench.call('POST', trust)).status).toBe(204)
    expect((await bench.call('GET', `${trust}/idps`)).json()).toEqual([{ id: '1', name: 'Corporate', description: '', enabled: true }])
    expect((await bench.call('PUT', `${trust}/idps/1`, { enabled: 'false' })).status).toBe(204)
    expect((await bench.call('GET', `${trust}/idps/1`)).json()).toMatchObject({ enabled: false })
    expect((await bench.call('GET', `${trust}/idps/8`)).status).toBe(404)
    expect((await bench.call('PUT', trust, { autoSyncTrustEnabled: true })).status).toBe(204)
    expect((await bench.call('GET', trust)).json()).toEqual({ autoSyncTrustEnabled: true })
    expect((await bench.call('PUT', trust, {})).status).toBe(400)
    expect((await bench.call('GET', `${trust}/apps`)).json()).toEqual([])
    await bench.call('PUT', `${demo}/state`, { connected: false })
    expect((await bench.call('POST', trust)).json()).toMatchObject({ type: 'RUNTIME_FAILURE' })
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
      await bench.call('PUT', path, { ...proxy.address, user: 'p', password: 'q' })
      expect((await add()).json().tunnel.state).toBe('Connected')
      // One for the certificate, and one for each lane of the tunnel.
      const tunnel = cloud.service.addresses.tunnel?.host
      expect(proxy.heads.map((head) => head.split(' ')[1])).toEqual([new URL(cloud.url).host, tunnel, tunnel])
      await bench.call('PUT', path, { ...proxy.address, user: 'p', password: 'wrong' })
      await bench.call('PUT', `${demo}/state`, { connected: false })
      const settled = bench.call('PUT', `${demo}/state`, { connected: true })
      await expect.poll(async () => (await read()).tunnel.state).toBe('ConnectFailure')
      expect((await bench.call('GET', `/api/private/v1/subaccounts/${region}/demo/tunnel`)).json().cause).toContain('407')
      await bench.call('DELETE', path)
      await bench.call('PUT', `${demo}/state`, { connected: false })
      await settled
      await bench.call('PUT', `${demo}/state`, { connected: true })
      expect((await read()).tunnel.state).toBe('Connected')
    } finally {
      await proxy[Symbol.asyncDispose]()
    }
  })
})

describe('the backend of a mapping', () => {
  const views = `/api/private/v1/subaccounts/${region}/demo/systemMappings`
  const mapping = { virtualPort: '80', localHost: '127.0.0.1', protocol: 'HTTP', backendType: 'nonSAPsys' }
  const viewOf = async (name: string) => (await bench.call('GET', `${views}/${name}:80/availability`)).json()

  it('CC-073 CC-074 CC-075 is looked for when a mapping is saved, by HEAD /, once for all that lead there with the same protocol', async () => {
    const asked: string[] = []
    const backend = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.writeHead(404).end()
    }).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    const localPort = String((backend.address() as AddressInfo).port)
    try {
      await add()
      expect((await bench.call('POST', `${demo}/systemMappings`, { ...mapping, virtualHost: 'here', localPort })).status).toBe(201)
      await expect.poll(() => viewOf('here')).toMatchObject({ state: 'Reachable', checkedTimeStamp: clock.now() })
      expect(asked).toEqual(['HEAD /'])
      backend.close()
      backend.closeAllConnections()
      // Nobody listens there any more, and the mapping is saved all the same.
      expect((await bench.call('POST', `${demo}/systemMappings`, { ...mapping, virtualHost: 'gone', localPort })).status).toBe(201)
      await expect.poll(() => viewOf('gone')).toMatchObject({ state: 'Unreachable', detail: expect.stringMatching(/./) })
      // The other one leads to the same place, so it has the same result; one of another protocol has its own.
      expect(await viewOf('here')).toEqual(await viewOf('gone'))
      await bench.editor.change('bench', (document) => ({
        ...document,
        subaccounts: document.subaccounts.map((entry) => ({
          ...entry,
          systemMappings: [
            ...entry.systemMappings,
            { ...(entry.systemMappings[0] as (typeof entry.systemMappings)[number]), virtualHost: 'tcp', protocol: 'TCP' as const },
          ],
        })),
      }))
      expect(await viewOf('tcp')).toEqual({ state: 'NotChecked', checkedTimeStamp: 0, detail: '' })
      expect((await bench.call('POST', `${views}/tcp:80/availability`)).json()).toMatchObject({ state: 'Unreachable' })
    } finally {
      backend.close()
    }
  })
})

it('CC-040 a subaccount that was tampered with is skipped at the start and listed, keeps nobody else from starting, and is mended by a renewal', async () => {
  await add()
  await add({ subaccount: 'other' })
  await bench[Symbol.asyncDispose]()
  await bench.material.save('identity demo ', '{"subaccount":"demo"}')
  bench = await startAdministrationBench({ clock, material: bench.material })
  expect((await bench.call('GET', `${subaccounts}/corrupted`)).json()).toEqual([{ regionHost: region, subaccount: 'demo' }])
  expect((await bench.call('GET', subaccounts)).json()).toMatchObject([{ subaccount: 'other' }])
  await expect.poll(() => tunnels().length).toBe(1)
  expect((await bench.call('POST', `${demo}/validity`, { user: 'admin', password: 'secret' })).status).toBe(200)
  expect((await bench.call('GET', `${subaccounts}/corrupted`)).json()).toEqual([])
  expect((await read()).tunnel.state).toBe('Connected')
})

it('CC-042 parameters of tunnels are taken within their bounds, and none without connections for applications', async () => {
  const path = '/api/private/v1/connectivity'
  expect((await bench.call('PUT', path, { applicationTunnelConnections: 0 })).status).toBe(400)
  expect((await bench.call('PUT', path, { applicationTunnelConnections: '3', maxReconnectAttempts: 10 })).status).toBe(204)
  expect((await bench.call('GET', path)).json()).toEqual({ applicationTunnelConnections: 3, maxReconnectAttempts: 10 })
  expect((await bench.call('PUT', path, { maxReconnectAttempts: 20 }, { as: 'sccsubadmin' })).status).toBe(403)
})
