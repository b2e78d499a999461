import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startAdministrationBench } from './administration-bench.ts'
import { region } from './small-cloud.ts'
import { demo, startSubaccountBench, type SubaccountBench, subaccounts } from './subaccount-bench.ts'

const day = 86_400_000

let world: SubaccountBench
beforeEach(async () => {
  world = await startSubaccountBench()
})
afterEach(() => world[Symbol.asyncDispose]())

describe('a subaccount that is added', () => {
  it('CC-016 CC-019 CC-025 CC-169 is connected, and answered as a whole, at a Location of its own', async () => {
    const answer = await world.add({ description: 'plant 7', displayName: '', autoCertRenewal: 'true' })
    const href = `https://127.0.0.1:${world.bench.port}${demo}`
    expect([answer.status, answer.headers['location']]).toEqual([201, href])
    const link = (end: string) => ({ href: `${href}/${end}` })
    expect(answer.json()).toEqual({
      description: 'plant 7',
      displayName: 'demo',
      autoCertRenewal: true,
      tunnel: {
        state: 'Connected',
        connectedSinceTimeStamp: world.clock.now(),
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
    expect(await world.read()).toEqual(answer.json())
    const { _links: links } = answer.json()
    expect((await world.bench.call('GET', subaccounts)).json()).toEqual([
      { _links: links, regionHost: region, subaccount: 'demo', locationID: '' },
    ])
    expect(world.tunnels()).toHaveLength(1)
  })

  it('CC-017 is not added again', async () => {
    await world.add()
    const again = await world.add({ locationID: 'elsewhere' })
    expect([again.status, again.json().type]).toEqual([409, 'INVALID_CONFIGURATION'])
    expect(world.cloud.shown).toHaveLength(1)
  })

  it('CC-018 needs region, subaccount, user and password', async () => {
    for (const name of ['regionHost', 'subaccount', 'cloudUser', 'cloudPassword']) {
      const answer = await world.add({ [name]: undefined })
      expect([name, answer.status, answer.json().type]).toEqual([name, 400, 'INVALID_REQUEST'])
      expect(answer.json().message).toContain(name)
    }
    expect((await world.add({ locationID: 'not/fit' })).status).toBe(400)
    expect((await world.add({ regionHost: 'no host' })).status).toBe(400)
    expect(world.cloud.shown).toEqual([])
  })

  it.each([
    ['a wrong password', { cloudPassword: 'guess' }, 'belong together'],
    ['a subaccount that does not exist', { subaccount: 'unknown' }, 'belong together'],
    ['a user without the role', { cloudUser: 'jane' }, 'may not add connectors'],
  ])('is refused for %s, and leaves nothing behind', async (_case, wrong, reason) => {
    const before = await world.bench.material.names()
    const answer = await world.add(wrong)
    expect([answer.status, answer.json()]).toEqual([400, { type: 'INVALID_REQUEST', message: expect.stringContaining(reason) }])
    expect(answer.body).not.toContain('guess')
    expect((await world.bench.call('GET', subaccounts)).json()).toEqual([])
    expect(await world.bench.material.names()).toEqual(before)
    expect((await world.add()).status).toBe(201)
  })

  it('CC-022 comes with a passcode instead of a password, for itself alone and once', async () => {
    const passcode = await world.cloud.code('demo')
    const byPasscode = { cloudUser: '$SAP-CP-SSO-PASSCODE$', cloudPassword: passcode }
    expect((await world.add({ ...byPasscode, subaccount: 'other' })).status).toBe(400)
    const answer = await world.add(byPasscode)
    expect([answer.status, answer.json().tunnel]).toEqual([201, expect.objectContaining({ state: 'Connected', user: 'admin' })])
    expect(world.cloud.shown).toEqual([])
    const renewal = { user: '$SAP-CP-SSO-PASSCODE$', password: passcode }
    expect((await world.bench.call('POST', `${demo}/validity`, renewal)).status).toBe(400)
    expect((await world.bench.call('POST', `${demo}/validity`, { ...renewal, password: await world.cloud.code('demo') })).status).toBe(200)
  })

  it('CC-023 lets a second factor at the end of the password through as it is', async () => {
    expect((await world.add({ cloudPassword: 'secret123456' })).status).toBe(201)
    expect(world.cloud.shown).toEqual([{ subaccount: 'demo', user: 'admin', password: 'secret123456' }])
  })

  it('CC-019 CC-020 comes with authentication data, which counts for more than what else is said', async () => {
    const answer = await world.bench.call('POST', subaccounts, {
      regionHost: 'elsewhere.example',
      subaccount: 'other',
      cloudUser: 'jane',
      cloudPassword: 'guess',
      authenticationData: await world.cloud.authenticationData('demo'),
    })
    expect(answer.status).toBe(201)
    expect(answer.json()).toMatchObject({
      regionHost: region,
      subaccount: 'demo',
      displayName: 'demo of Acme',
      tunnel: { state: 'Connected' },
    })
    expect(world.cloud.shown).toEqual([])
  })

  it('CC-021 authentication data that has expired, by its own word or that of the service, adds nothing', async () => {
    const stale = [await world.cloud.authenticationData('demo', { expiresAtMs: world.clock.now() - 1 })]
    // The text can be changed; the code in it cannot.
    stale.push(await world.cloud.authenticationData('demo', { expiresAtMs: world.clock.now() + day }))
    world.clock.advance(16 * 60_000)
    for (const authenticationData of [...stale, 'rubbish']) {
      expect((await world.bench.call('POST', subaccounts, { authenticationData })).status).toBe(400)
      expect((await world.bench.call('GET', subaccounts)).json()).toEqual([])
    }
    expect((await world.bench.material.names()).filter((name) => name.startsWith('identity'))).toEqual([])
  })

  it('CC-024 stays managed or not, and an administrator may change the rest', async () => {
    await world.add({ isManaged: true })
    const changed = await world.bench.call('PUT', demo, { isManaged: false, description: 'x', displayName: 'Plant', autoCertRenewal: true })
    expect([changed.status, changed.json()]).toEqual([
      200,
      expect.objectContaining({ isManaged: true, description: 'x', displayName: 'Plant', autoCertRenewal: true }),
    ])
    // What is not given stays, and an empty name is that of the subaccount.
    expect((await world.bench.call('PUT', demo, { displayName: '' })).json()).toMatchObject({
      description: 'x',
      displayName: 'demo',
      autoCertRenewal: true,
    })
    expect((await world.bench.call('PUT', demo, { description: 'y' }, { as: 'sccsubadmin' })).status).toBe(403)
  })

  it('CC-026 is told when another installation has its location ID already', async () => {
    await world.add()
    const other = await startAdministrationBench({ haRole: 'master', clock: world.clock, connectorId: 'other' })
    try {
      const answer = await other.call('POST', subaccounts, { authenticationData: await world.cloud.authenticationData('demo') })
      expect([answer.status, answer.json().tunnel.state]).toEqual([201, 'ConnectFailure'])
      const { cause } = (await other.call('GET', `/api/private/v1/subaccounts/${region}/demo/tunnel`)).json()
      expect(cause).toContain('location ID')
      expect((await world.read()).tunnel.state).toBe('Connected')
      // With one of its own both are connected.
      expect((await other.call('PUT', demo, { locationID: 'second' })).json().tunnel.state).toBe('Connected')
      expect(world.tunnels()).toHaveLength(2)
    } finally {
      await other[Symbol.asyncDispose]()
    }
  })
})

describe('a subaccount that is removed', () => {
  it('waits for whoever has it open, where pages tell who that is', async () => {
    let lockedBy: string | undefined = 'jane'
    await world.restart({
      isLocked: (_name, user) => lockedBy !== undefined && user !== lockedBy,
    })
    await world.add()
    const answer = await world.bench.call('DELETE', demo)
    expect([answer.status, answer.json().type]).toEqual([409, 'ILLEGAL_STATE'])
    lockedBy = undefined
    expect((await world.bench.call('DELETE', demo)).status).toBe(204)
  })

  it('CC-033 takes tunnel, certificate and everything below along, and can be added anew', async () => {
    await world.add()
    expect((await world.bench.call('DELETE', demo)).status).toBe(204)
    for (const end of ['', '/systemMappings', '/domainMappings', '/systemMappings/a:1/resources/-'])
      expect([(await world.bench.call('GET', `${demo}${end}`)).status, (await world.bench.call('GET', `${demo}${end}`)).json()]).toEqual([
        404,
        { type: 'NOT_FOUND', message: `Subaccount with value 'demo@${region}' does not exist` },
      ])
    expect((await world.bench.call('PUT', `${demo}/state`, { connected: true })).status).toBe(404)
    expect(world.tunnels()).toEqual([])
    expect((await world.bench.material.names()).filter((name) => name.includes('demo'))).toEqual([])
    expect((await world.add()).json().tunnel.state).toBe('Connected')
  })

  it('CC-174 recovery is gone for good, whatever is asked of it', async () => {
    for (const [method, end] of [
      ['POST', ''],
      ['DELETE', ''],
      ['POST', '/validity'],
      ['PUT', '/state'],
      ['POST', '/takeover'],
    ] as const) {
      const answer = await world.bench.call(method, `${demo}/recovery${end}`, method === 'DELETE' ? undefined : {})
      expect([method, end, answer.status, answer.json().message]).toEqual([method, end, 410, expect.any(String)])
    }
  })
})

it('CC-040 a subaccount that was tampered with is skipped at the start and listed, keeps nobody else from starting, and is mended by a renewal', async () => {
  await world.add()
  await world.add({ subaccount: 'other' })
  await world.stop()
  await world.bench.material.save('identity demo ', '{"subaccount":"demo"}')
  await world.start()
  expect((await world.bench.call('GET', `${subaccounts}/corrupted`)).json()).toEqual([{ regionHost: region, subaccount: 'demo' }])
  expect((await world.bench.call('GET', subaccounts)).json()).toMatchObject([{ subaccount: 'other' }])
  await expect.poll(() => world.tunnels().length).toBe(1)
  expect((await world.bench.call('POST', `${demo}/validity`, { user: 'admin', password: 'secret' })).status).toBe(200)
  expect((await world.bench.call('GET', `${subaccounts}/corrupted`)).json()).toEqual([])
  expect((await world.read()).tunnel.state).toBe('Connected')
})
