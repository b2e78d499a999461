import { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { changeRole } from '../src/index.ts'
import { type AdministrationBench, type BenchTunnels, startAdministrationBench } from './administration-bench.ts'

const cfg = '/api/v1/configuration/connector'
const ha = `${cfg}/ha`
const benches: AdministrationBench[] = []
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench[Symbol.asyncDispose]()
})

async function start(given: Parameters<typeof startAdministrationBench>[0]): Promise<AdministrationBench> {
  const bench = await startAdministrationBench(given)
  benches.push(bench)
  return bench
}
async function stop(bench: AdministrationBench): Promise<void> {
  benches.splice(benches.indexOf(bench), 1)
  await bench[Symbol.asyncDispose]()
}

/** Waits for what happens over real connections. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return
    await sleep(10)
  }
  throw new Error('it did not happen')
}

const credentials = { user: 'Administrator', password: 'changed' }

function configure(shadow: AdministrationBench, master: AdministrationBench, others: object = {}): Promise<{ readonly status: number }> {
  return shadow.call('PUT', `${ha}/shadow/config`, {
    masterHost: '127.0.0.1',
    masterPort: master.port,
    ownHost: '127.0.0.1',
    checkIntervalInSeconds: 10,
    takeoverDelayInSeconds: 5,
    ...others,
  })
}
const connect = (shadow: AdministrationBench, log: object = credentials): ReturnType<AdministrationBench['call']> =>
  shadow.call('POST', `${ha}/shadow/state`, { op: 'CONNECT', ...log })
async function enable(master: AdministrationBench, others: object = {}): Promise<{ readonly status: number }> {
  await changePassword(master)
  return await master.call('PUT', `${ha}/master/config`, { haEnabled: true, ...others })
}
/** Nobody logs on with the initial password but to change it. */
async function changePassword(bench: AdministrationBench): Promise<void> {
  const body = { oldPassword: 'manage', newPassword: credentials.password }
  await bench.send('PUT', `${cfg}/authentication/basic`, { body, user: 'Administrator:manage' })
}
const stateOf = async (bench: AdministrationBench, role: 'master' | 'shadow'): Promise<string> =>
  (await bench.call('GET', `${ha}/${role}/state`)).json().state
const roleOf = async (bench: AdministrationBench): Promise<string> => (await bench.call('GET', `${cfg}/haRole`)).json()

/** A connected pair; the initial password of the master is changed on the way, as it has to be. */
async function startPair(
  tunnels: BenchTunnels = { reachable: 1, open: false },
  others: object = {},
  network = { cut: false },
): Promise<{ master: AdministrationBench; shadow: AdministrationBench }> {
  const master = await start({ haRole: 'master' })
  const shadow = await start({ haRole: 'shadow', tunnels, network })
  await enable(master)
  await configure(shadow, master, others)
  expect((await connect(shadow)).status).toBe(204)
  return { master, shadow }
}
/** Lets time pass on one side, and everything that is due then happen. */
async function pass(bench: AdministrationBench, seconds: number): Promise<void> {
  bench.clock.advance(seconds * 1000)
  await sleep(30)
}

describe('connecting', () => {
  it('CC-129 a shadow is refused with 409 until high availability is enabled on the master', async () => {
    const master = await start({ haRole: 'master' })
    const shadow = await start({ haRole: 'shadow' })
    await changePassword(master)
    await configure(shadow, master)
    expect((await connect(shadow)).status).toBe(409)
    expect(await stateOf(shadow, 'shadow')).toBe('DISCONNECTED')
    await enable(master)
    expect((await connect(shadow)).status).toBe(204)
    expect([await stateOf(shadow, 'shadow'), await stateOf(master, 'master')]).toEqual(['READY', 'CONNECTED'])
  })

  it('CC-130 a shadow of another host than the permitted one is refused', async () => {
    const master = await start({ haRole: 'master' })
    const shadow = await start({ haRole: 'shadow' })
    await enable(master, { allowedShadowHost: 'shadow.example' })
    await configure(shadow, master)
    expect((await connect(shadow)).status).toBe(409)
    await enable(master, { allowedShadowHost: '127.0.0.1' })
    expect((await connect(shadow)).status).toBe(204)
    expect((await enable(await start({ haRole: 'master' }), { allowedShadowHost: 'no host!' })).status).toBe(400)
  })

  it('CC-131 a second shadow is refused until the first has been silent for three check intervals', async () => {
    const { master, shadow } = await startPair()
    const second = await start({ haRole: 'shadow' })
    await configure(second, master)
    expect((await connect(second)).json().message).toContain('is the shadow already')
    await stop(shadow)
    await pass(master, 29)
    expect((await connect(second)).status).toBe(409)
    await pass(master, 2)
    expect((await connect(second)).status).toBe(204)
  })

  it('is refused for a wrong password, for nobody listening, and for another version', async () => {
    const master = await start({ haRole: 'master' })
    const shadow = await start({ haRole: 'shadow', version: '1.3.0' })
    await enable(master)
    await configure(shadow, master)
    expect((await connect(shadow, { user: 'Administrator', password: 'wrong' })).status).toBe(400)
    expect((await connect(shadow, {})).status).toBe(400)
    const answer = await connect(shadow)
    expect([answer.status, answer.json().message]).toEqual([409, expect.stringContaining('1.3.0')])
    await configure(shadow, { port: 1 } as AdministrationBench)
    expect((await connect(shadow)).status).toBe(500)
  })

  it('CC-134 needs no password again, unless the certificate of the master is another one', async () => {
    const { master, shadow } = await startPair()
    await shadow.call('POST', `${ha}/shadow/state`, { op: 'DISCONNECT' })
    expect(await stateOf(shadow, 'shadow')).toBe('DISCONNECTED')
    expect((await connect(shadow, {})).status).toBe(204)
    await shadow.call('POST', `${ha}/shadow/state`, { op: 'DISCONNECT' })
    const { material, port } = master
    await stop(master)
    await start({ material, port })
    const refused = await connect(shadow, {})
    expect([refused.status, refused.json().message]).toEqual([500, expect.stringContaining('There is no trust with Cloud Connector')])
    await shadow.call('DELETE', `${ha}/shadow/state`)
    await configure(shadow, { port } as AdministrationBench)
    expect((await connect(shadow)).status).toBe(204)
  })
})

describe('synchronisation', () => {
  it('CC-132 the whole configuration comes with the connection, and every change after it', async () => {
    const master = await start({ haRole: 'master' })
    await master.call('PUT', `${cfg}/proxy`, { host: 'before.example', port: 1 })
    await master.material.save('trust demo ', 'synchronised')
    const shadow = await start({ haRole: 'shadow', tunnels: { reachable: 1, open: false } })
    await enable(master)
    await configure(shadow, master)
    await connect(shadow)
    expect((await shadow.call('GET', `${cfg}/proxy`)).json().host).toBe('before.example')
    expect(await shadow.material.load('trust demo ')).toBe('synchronised')
    await master.call('PUT', `${cfg}/proxy`, { host: 'after.example', port: 1 })
    master.clock.advance(0)
    await until(() => shadow.editor.document.connector.proxy?.host === 'after.example')
    expect(await roleOf(shadow)).toBe('shadow')
  })

  it('CC-133 users, their certificate and what each counts for itself stay what they are', async () => {
    const { master, shadow } = await startPair()
    await shadow.send('PUT', `${cfg}/authentication/basic`, {
      body: { oldPassword: 'manage', newPassword: 'of the shadow' },
      user: 'Administrator:manage',
    })
    await master.material.save('alerts', 'of the master')
    await master.call('PUT', cfg, { description: 'pushed' })
    master.clock.advance(0)
    await until(() => shadow.editor.document.connector.description === 'pushed')
    const logOn = async (password: string): Promise<number> => (await shadow.send('GET', cfg, { user: `Administrator:${password}` })).status
    expect([await logOn('of the shadow'), await logOn(credentials.password)]).toEqual([200, 401])
    expect(await shadow.material.load('alerts')).not.toBe('of the master')
    expect((await shadow.call('GET', `${ha}/shadow/config`)).json().takeoverDelayInSeconds).toBe(5)
  })

  it('CC-144 a push that fails is told once, tried again, and told to be mended', async () => {
    const { master, shadow } = await startPair()
    const { identity, material, port } = shadow
    await stop(shadow)
    await master.call('PUT', cfg, { description: 'one' })
    master.clock.advance(0)
    await until(() => master.notices.length === 1)
    expect(master.notices[0]).toMatchObject({ kind: 'problem', message: expect.stringContaining('could not be pushed') })
    expect(await stateOf(master, 'master')).toBe('BROKEN')
    await pass(master, 10)
    expect(master.notices).toHaveLength(1)
    const again = await start({ identity, material, port })
    again.clock.advance(0)
    await until(() => again.pair.shadowState === 'READY')
    await pass(master, 10)
    await until(() => master.notices.length === 2)
    expect(master.notices[1]).toMatchObject({ kind: 'resolved' })
    expect([await stateOf(master, 'master'), again.editor.document.connector.description]).toEqual(['CONNECTED', 'one'])
  })

  it('a configuration cannot be changed on the shadow', async () => {
    const { shadow } = await startPair()
    expect((await shadow.call('PUT', `${cfg}/proxy`, { host: 'x', port: 1 })).status).toBe(403)
  })
})

describe('failover', () => {
  it('CC-135 the shadow takes over after a failed check and the delay, when a tunnel opens', async () => {
    const tunnels = { reachable: 1, open: false }
    const { master, shadow } = await startPair(tunnels)
    await stop(master)
    await pass(shadow, 10)
    await until(async () => (await stateOf(shadow, 'shadow')) === 'LOST')
    for (let second = 0; second < 4; second++) await pass(shadow, 1)
    expect([await roleOf(shadow), tunnels.open]).toEqual(['shadow', false])
    for (let second = 0; second < 4; second++) await pass(shadow, 1)
    await until(async () => (await roleOf(shadow)) === 'master')
    expect(tunnels.open).toBe(true)
    expect((await shadow.call('GET', '/exposed?action=hasMasterRole')).body).toBe('true')
  })

  it('CC-136 a shadow that cannot open a tunnel either stays one, and goes on asking', async () => {
    const tunnels = { reachable: 0, open: false }
    const { master, shadow } = await startPair(tunnels)
    await stop(master)
    for (let second = 0; second < 40; second += 2) await pass(shadow, 2)
    expect([await roleOf(shadow), await stateOf(shadow, 'shadow'), tunnels.open]).toEqual(['shadow', 'LOST', false])
    tunnels.reachable = 2
    for (let second = 0; second < 12; second += 2) await pass(shadow, 2)
    await until(async () => (await roleOf(shadow)) === 'master')
  })

  it('does not happen when the last changes of the master have not arrived', async () => {
    const { master, shadow } = await startPair({ reachable: 1, open: false })
    // The shadow learns at its check that there is something newer, and cannot get it any more.
    await shadow.pair.served.configurationChanged()
    await master.editor.change('test', (document) => ({ ...document, connector: { ...document.connector, description: 'newer' } }))
    Object.assign(master.pair.served, { snapshot: () => Promise.reject(new Error('cut')) })
    await pass(shadow, 10)
    await until(async () => (await shadow.call('GET', `${ha}/shadow/state`)).json().stateMessage?.includes('could not be taken over'))
    await stop(master)
    for (let second = 0; second < 20; second += 2) await pass(shadow, 2)
    expect([await roleOf(shadow), await stateOf(shadow, 'shadow')]).toEqual(['shadow', 'LOST'])
    expect((await shadow.call('GET', `${ha}/shadow/state`)).json().stateMessage).toContain('last changes')
  })
})

describe('a master that answers', () => {
  it('is no lost one, whatever it answers: its shadow stays one', async () => {
    const tunnels = { reachable: 1, open: false }
    const { master, shadow } = await startPair(tunnels)
    Object.assign(master.pair.served, {
      requirePeer: () => {
        throw new Error('another shadow has taken the place')
      },
    })
    for (let second = 0; second < 30; second += 2) await pass(shadow, 2)
    expect([await roleOf(shadow), await stateOf(shadow, 'shadow'), tunnels.open]).toEqual(['shadow', 'DISCONNECTED', false])
  })

  it('tells of renewed certificates, which change no revision', async () => {
    const { master, shadow } = await startPair()
    await master.material.save('trust demo ', 'renewed')
    await pass(shadow, 10)
    await until(async () => (await shadow.material.load('trust demo ')) === 'renewed')
    expect(await roleOf(shadow)).toBe('shadow')
  })

  it('gets no wrong password from a shadow that stays connected', async () => {
    const { shadow } = await startPair()
    expect((await connect(shadow, { user: 'Administrator', password: 'mistyped' })).status).toBe(400)
    expect(await stateOf(shadow, 'shadow')).toBe('READY')
  })

  it('is met only when it shows the certificate that was told', async () => {
    const master = await start({ haRole: 'master' })
    const shadow = await start({ haRole: 'shadow' })
    await enable(master)
    await configure(shadow, master)
    const { fingerprint256 } = new X509Certificate(master.identity.certificate)
    expect((await connect(shadow, { ...credentials, masterFingerprint: fingerprint256.replace(/^../, '00') })).status).toBe(500)
    expect((await connect(shadow, { ...credentials, masterFingerprint: 'short' })).status).toBe(400)
    expect((await connect(shadow, { ...credentials, masterFingerprint: fingerprint256 })).status).toBe(204)
  })

  it('takes no shadow whose certificate is none', async () => {
    const master = await start({ haRole: 'master' })
    await enable(master)
    const body = { host: '127.0.0.1', port: 1, certificate: 'x', version: '1.2.3', checkIntervalInSeconds: 1 }
    expect((await master.call('POST', '/api/private/v1/highAvailability/shadows', body)).status).toBe(400)
  })
})

describe('after a take-over', () => {
  it('CC-137 a former master that starts again becomes the shadow of the new one', async () => {
    const { master, shadow } = await startPair({ reachable: 1, open: false })
    const { identity, material, port } = master
    await stop(master)
    for (let second = 0; second < 18; second += 2) await pass(shadow, 2)
    await until(async () => (await roleOf(shadow)) === 'master')
    await shadow.call('PUT', cfg, { description: 'by the new master' })
    const again = await start({ identity, material, port })
    expect(await roleOf(again)).toBe('shadow')
    await pass(again, 1)
    await until(() => again.editor.document.connector.description === 'by the new master')
    expect([await stateOf(again, 'shadow'), await stateOf(shadow, 'master')]).toEqual(['READY', 'CONNECTED'])
  })

  it('CC-138 two masters that meet again become a pair: the former one becomes the shadow', async () => {
    const network = { cut: false }
    const { master, shadow } = await startPair({ reachable: 1, open: false }, {}, network)
    // The shadow does not see the master any more, while both live.
    network.cut = true
    for (let second = 0; second < 18; second += 2) await pass(shadow, 2)
    await until(async () => (await roleOf(shadow)) === 'master')
    expect(await roleOf(master)).toBe('master')
    network.cut = false
    await pass(shadow, 10)
    await until(async () => (await roleOf(master)) === 'shadow')
    expect([await roleOf(shadow), await roleOf(master)]).toEqual(['master', 'shadow'])
  })
})

describe('switching roles', () => {
  it('hands over to a shadow that can open tunnels', async () => {
    const tunnels = { reachable: 1, open: false }
    const { master, shadow } = await startPair(tunnels)
    expect((await master.call('POST', `${ha}/master/state`, { op: 'SWITCH' })).status).toBe(204)
    expect([await roleOf(master), await roleOf(shadow), tunnels.open]).toEqual(['shadow', 'master', true])
    await pass(master, 10)
    await until(async () => (await stateOf(master, 'shadow')) === 'READY')
    await until(async () => (await stateOf(shadow, 'master')) === 'CONNECTED')
  })

  it('brings what was acknowledged just before', async () => {
    const { master, shadow } = await startPair({ reachable: 1, open: false })
    expect((await master.call('PUT', cfg, { description: 'at the last moment' })).status).toBe(200)
    expect((await master.call('POST', `${ha}/master/state`, { op: 'SWITCH' })).status).toBe(204)
    expect((await shadow.call('GET', cfg)).json()).toEqual({ ha: 'master', description: 'at the last moment' })
  })

  it('CC-139 is refused when the shadow cannot connect any subaccount', async () => {
    const { master, shadow } = await startPair({ reachable: 0, open: false })
    const answer = await master.call('POST', `${ha}/master/state`, { op: 'SWITCH' })
    expect(answer.status).toBe(409)
    expect([await roleOf(master), await roleOf(shadow)]).toEqual(['master', 'shadow'])
  })

  it('CC-140 by force works without a shadow', async () => {
    const master = await start({ haRole: 'master' })
    expect((await master.call('POST', `${ha}/master/state`, { op: 'SWITCH' })).status).toBe(409)
    expect((await master.call('POST', `${ha}/master/state`, { op: 'other' })).status).toBe(400)
    expect((await master.call('POST', `${ha}/master/state`, { op: 'FORCE_SWITCH' })).status).toBe(204)
    expect(await roleOf(master)).toBe('shadow')
  })

  it('CC-141 interfaces of a master answer 400 on a shadow, those of a shadow 403 on a master', async () => {
    const master = await start({ haRole: 'master' })
    const shadow = await start({ haRole: 'shadow' })
    for (const path of [`${ha}/master/config`, `${ha}/master/state`]) expect((await shadow.call('GET', path)).status).toBe(400)
    expect((await enable(shadow)).status).toBe(400)
    for (const path of [`${ha}/shadow/config`, `${ha}/shadow/state`]) expect((await master.call('GET', path)).status).toBe(403)
  })

  it('CC-162 whoever asks without credentials learns who is the master, and a shadow answers 409', async () => {
    const { master, shadow } = await startPair()
    for (const [bench, status, body] of [
      [master, 200, 'true'],
      [shadow, 409, 'false'],
    ] as const) {
      expect((await bench.call('GET', '/exposed?action=hasMasterRole')).body).toBe(body)
      const ensured = await bench.call('GET', '/exposed?action=ensureMasterRole')
      expect([ensured.status, ensured.body]).toEqual([status, body])
    }
  })
})

describe('a pair without a master', () => {
  it('CC-142 gets one by a change of the role of an instance that is not running', async () => {
    const { master, shadow } = await startPair({ reachable: 1, open: false })
    await stop(master)
    const { identity, material, port } = shadow
    await stop(shadow)
    // Started while the master is away, a shadow does not take over by itself.
    const still = await start({ identity, material, port, tunnels: { reachable: 1, open: false } })
    for (let second = 0; second < 20; second += 2) await pass(still, 2)
    expect([await roleOf(still), await stateOf(still, 'shadow')]).toEqual(['shadow', 'LOST'])
    await stop(still)
    await changeRole(material, 'master')
    expect(await roleOf(await start({ identity, material, port }))).toBe('master')
    const former = await start({ identity: master.identity, material: master.material, port: master.port })
    await until(async () => (await roleOf(former)) === 'shadow')
  })
})

describe('the other instance', () => {
  it('is known by its secret alone', async () => {
    const { master } = await startPair()
    for (const authorization of ['Bearer wrong', 'Basic QWRtaW5pc3RyYXRvcjptYW5hZ2U=', '']) {
      for (const [method, path] of [
        ['POST', 'ping'],
        ['GET', 'snapshot'],
        ['POST', 'takeOver'],
        ['POST', 'configurationChanged'],
      ] as const) {
        const body = path === 'ping' ? { role: 'master', term: 99, revision: 1, digest: '' } : undefined
        const answer = await master.call(method, `/api/private/v1/highAvailability/${path}`, body, { headers: { authorization } })
        expect(answer.status).toBe(403)
      }
    }
    expect(await roleOf(master)).toBe('master')
  })
})
