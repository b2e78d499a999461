import { X509Certificate } from 'node:crypto'
import type { MaterialStore } from '@sallyport/cloud-connector'
import { ConnectivityError, silentLogger } from '@sallyport/core'
import { createManualClock, createTestIssuer } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { changeRole, type ConfigurationEditor, renewGeneratedCertificates } from '../src/index.ts'
import type { AdministrationBench } from './administration-bench.ts'
import {
  cfg,
  changePassword,
  configure,
  connect,
  credentials,
  demo,
  enable,
  ha,
  pass,
  passSteps,
  roleOf,
  start,
  startConnectedPair,
  startPair,
  stateOf,
  stop,
  switchRoles,
  takeOver,
  until,
} from './pair-bench.ts'
import { type SmallCloud, startSmallCloud } from './small-cloud.ts'

const tunnelOf = async (bench: AdministrationBench): Promise<string> => (await bench.call('GET', demo)).json().tunnel.state

/** Which tunnels the cloud side has, and since when. */
const held = ({ service }: SmallCloud): readonly unknown[] =>
  service.tunnels.list().map(({ connectedSinceMs, tunnelId }) => [tunnelId, connectedSinceMs])

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
    await configure(shadow, { port: 1 })
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
    await configure(shadow, { port })
    expect((await connect(shadow)).status).toBe(204)
  })
})

describe('synchronisation', () => {
  it('CC-132 the whole configuration comes with the connection, and every change after it', async () => {
    const master = await start({ haRole: 'master' })
    await master.call('PUT', `${cfg}/proxy`, { host: 'before.example', port: 1 })
    await master.material.save('trust demo ', 'synchronised')
    const shadow = await start({ haRole: 'shadow' })
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
    const { cloud, master, shadow } = await startConnectedPair()
    await stop(master)
    await pass(shadow, 10)
    expect(await stateOf(shadow, 'shadow')).toBe('LOST')
    await passSteps(shadow, 4, 1)
    expect([await roleOf(shadow), cloud.service.tunnels.list()]).toEqual(['shadow', []])
    await passSteps(shadow, 2, 1)
    expect([await roleOf(shadow), await tunnelOf(shadow)]).toEqual(['master', 'Connected'])
    expect(cloud.service.tunnels.list()).toHaveLength(1)
    expect((await shadow.call('GET', '/exposed?action=hasMasterRole')).body).toBe('true')
  })

  it('CC-136 a shadow that cannot open a tunnel either stays one, and goes on asking', async () => {
    const { cloud, master, network, shadow } = await startConnectedPair()
    await stop(master)
    network.cloudCut = true
    await passSteps(shadow, 40)
    expect([await roleOf(shadow), await stateOf(shadow, 'shadow'), await tunnelOf(shadow)]).toEqual(['shadow', 'LOST', 'Disconnected'])
    expect((await shadow.call('GET', `${ha}/shadow/state`)).json().stateMessage).toContain('cannot open a tunnel either')
    network.cloudCut = false
    await passSteps(shadow, 12)
    expect([await roleOf(shadow), await tunnelOf(shadow)]).toEqual(['master', 'Connected'])
    expect(cloud.service.tunnels.list()).toHaveLength(1)
  })

  it('does not happen when the master answers again while the tunnels are opened, and its own tunnel is open again', async () => {
    const { master, network, shadow } = await startConnectedPair()
    let isHealed = false
    network.cut = true
    Object.defineProperty(network, 'cloudCut', {
      get() {
        isHealed = true
        network.cut = false
        return false
      },
    })
    await passSteps(shadow, 18)
    expect([isHealed, await roleOf(shadow), await roleOf(master)]).toEqual([true, 'shadow', 'master'])
    await until(async () => (await tunnelOf(master)) === 'Connected')
    expect(await tunnelOf(shadow)).not.toBe('Connected')
    // Soon afterwards once more: the tunnel is back as quickly.
    isHealed = false
    network.cut = true
    await passSteps(shadow, 28)
    expect([isHealed, await roleOf(shadow), await roleOf(master)]).toEqual([true, 'shadow', 'master'])
    await until(async () => (await tunnelOf(master)) === 'Connected')
  })

  it('does not happen when the last changes of the master have not arrived', async () => {
    const { master, shadow } = await startConnectedPair()
    // The shadow learns at its check that there is something newer, and cannot get it any more.
    await shadow.pair.served.configurationChanged()
    await master.editor.change('test', (document) => ({ ...document, connector: { ...document.connector, description: 'newer' } }))
    Object.assign(master.pair.served, { snapshot: () => Promise.reject(new Error('cut')) })
    await pass(shadow, 10)
    await until(async () => (await shadow.call('GET', `${ha}/shadow/state`)).json().stateMessage?.includes('could not be taken over'))
    await stop(master)
    await passSteps(shadow, 20)
    expect([await roleOf(shadow), await stateOf(shadow, 'shadow')]).toEqual(['shadow', 'LOST'])
    expect((await shadow.call('GET', `${ha}/shadow/state`)).json().stateMessage).toContain('last changes')
  })
})

describe('a change of a master', () => {
  const describing = (description: string): object => ({ description })

  it('is acknowledged when the shadow has it', async () => {
    const { master, shadow } = await startPair()
    expect((await master.call('PUT', cfg, describing('at once'))).status).toBe(200)
    expect((await shadow.call('GET', cfg)).json().description).toBe('at once')
  })

  it('that is made together with others goes to the shadow with them', async () => {
    const { master, shadow } = await startPair()
    let fetched = 0
    const { snapshot } = master.pair.served
    Object.assign(master.pair.served, {
      snapshot: () => {
        fetched += 1
        return snapshot()
      },
    })
    const names = Array.from({ length: 12 }, (_, at) => `all ${at}`)
    const answers = await Promise.all(names.map((name) => master.call('PUT', cfg, describing(name))))
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200))
    expect((await shadow.call('GET', cfg)).json().description).toBe(master.editor.document.connector.description)
    expect(fetched).toBeLessThan(names.length)
  })

  it('is acknowledged without the shadow while the cloud side answers, and without either it says who may not have it', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    await stop(shadow)
    await pass(master, 60)
    expect((await master.call('PUT', cfg, describing('alone'))).status).toBe(200)
    await stop(cloud)
    const answer = await master.call('PUT', cfg, describing('nobody knows'))
    expect([answer.status, answer.json().message]).toEqual([500, expect.stringContaining('neither its shadow 127.0.0.1')])
    expect((await master.call('GET', cfg)).json().description).toBe('nobody knows')
  })

  it('is not acknowledged without the shadow as long as that may still take over, and is kept aside when it has', async () => {
    const { cloud, master, network, shadow } = await startConnectedPair()
    await pass(shadow, 10)
    const link = { whole: true }
    const cutFrom = (bench: AdministrationBench): void => {
      const { configurationChanged } = bench.pair.served
      Object.assign(bench.pair.served, {
        configurationChanged: () => (link.whole ? configurationChanged() : Promise.reject(new Error('cut'))),
      })
    }
    cutFrom(shadow)
    link.whole = false
    network.cut = true
    const answer = await master.call('PUT', cfg, describing('nobody else has it'))
    expect([answer.status, answer.json().message]).toEqual([500, expect.stringContaining('may take over within')])
    expect(cloud.service.tunnels.list()).toHaveLength(1)
    await takeOver(shadow)
    expect((await master.call('PUT', cfg, describing('after it has taken over'))).status).toBe(500)
    network.cut = false
    link.whole = true
    await pass(shadow, 10)
    await until(async () => (await roleOf(master)) === 'shadow')
    await pass(master, 1)
    await until(() => master.editor.document.connector.description === shadow.editor.document.connector.description)
    const kept = (await master.call('GET', '/api/private/v1/highAvailability/replaced')).json()
    expect(kept).toHaveLength(1)
    expect(JSON.stringify(kept[0].document)).toContain('after it has taken over')
    expect(master.audited.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/kept revision \d+ of term 0 .* revision \d+ of term 1/),
    )
    expect((await master.call('GET', '/api/private/v1/highAvailability/replaced', undefined, { as: 'monitoring' })).status).toBe(403)
  })

  it('is acknowledged when the shadow has the trust list, too, which changes no revision', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    const { issuer, keys } = createTestIssuer()
    cloud.issuers.push({ issuer, name: 'Test', type: 'OAUTH2', keys } as never)
    const { revision } = master.editor.document
    expect((await master.call('POST', `${demo}/trust`)).status).toBe(204)
    expect(master.editor.document.revision).toBe(revision)
    const kept = await master.material.load('trust demo ')
    expect(kept).toContain(issuer)
    expect(await shadow.material.load('trust demo ')).toBe(kept)
    const idps = (await master.call('GET', `${demo}/trust/idps`)).json()
    expect(idps).toHaveLength(1)
    expect((await shadow.call('GET', `${demo}/trust/idps`)).json()).toEqual(idps)
  })

  it('is acknowledged when the shadow has the certificate of a new subaccount, too, which is kept after the configuration', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    const { save } = master.material
    Object.assign(master.material, {
      async save(name: string, text: string) {
        // The configuration has gone to the shadow before.
        if (name.startsWith('identity')) await pass(master, 0)
        await save(name, text)
      },
    })
    const authenticationData = await cloud.authenticationData('second')
    expect((await master.call('POST', '/api/v1/configuration/subaccounts', { authenticationData })).status).toBe(201)
    expect(await shadow.material.load('identity second ')).toBe(await master.material.load('identity second '))
  })

  it('is not asked about after a call that changes nothing, or this instance alone', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    await stop(shadow)
    await stop(cloud)
    expect((await master.call('PUT', cfg, describing('not confirmed'))).status).toBe(500)
    // Whoever tries again is not told that it is kept now.
    expect((await master.call('PUT', cfg, describing('not confirmed'))).status).toBe(500)
    const own = '/api/private/v1'
    for (const [method, path, body, status] of [
      ['POST', '/api/v1/configuration/backup', { password: 'x' }, 200],
      ['PUT', `${own}/runtime`, { maxHeap: '512M' }, 204],
      ['PATCH', `${cfg}/logAndTrace`, { sccLogLevel: 'DEBUG' }, 204],
      ['POST', `${own}/subaccounts/cf.self.example/demo/simulation/request`, { virtualHost: 'a', virtualPort: '1' }, 200],
      ['POST', `${own}/secureStore/shrink`, undefined, 200],
    ] as const)
      expect([path, (await master.call(method, path, body)).status]).toEqual([path, status])
    await master.material.save('trust gone ', '[]')
    expect((await master.call('POST', `${own}/secureStore/shrink`)).status).toBe(500)
  })

  it('needs nobody else where there is no shadow, or nothing that it could take over', async () => {
    const { master, shadow } = await startPair()
    await stop(shadow)
    expect((await master.call('PUT', cfg, describing('no subaccount'))).status).toBe(200)
    const alone = await start({ haRole: 'master' })
    expect((await alone.call('PUT', cfg, describing('no pair'))).status).toBe(200)
  })

  it('is acknowledged when the audit log has it on disk', async () => {
    const master = await start({ haRole: 'master' })
    const order: string[] = []
    const flushed = (): Promise<void> => Promise.resolve().then(() => void order.push('audited'))
    Object.assign(master.audit, { flushed })
    await master.call('PUT', cfg, describing('audited')).then(() => order.push('answered'))
    expect(order).toEqual(['audited', 'answered'])
    const full = new ConnectivityError('STORE_FAILED', 'the audit log cannot be written (ENOSPC)')
    Object.assign(master.audit, { flushed: () => Promise.reject(full) })
    const refused = await master.call('PUT', cfg, describing('not audited'))
    expect([refused.status, refused.json().message]).toEqual([500, full.message])
    Object.assign(master.audit, { flushed: () => Promise.resolve() })
  })
})

describe('a clock that somebody sets', () => {
  it.each([86_400_000, -86_400_000])('%i ms away makes no shadow silent, and a silent one not heard', async (milliseconds) => {
    const { master, shadow } = await startPair()
    master.clock.shift(milliseconds)
    expect(await stateOf(master, 'master')).toBe('CONNECTED')
    await stop(shadow)
    await pass(master, 31)
    expect(await stateOf(master, 'master')).toBe('BROKEN')
  })

  it.each([86_400_000, -86_400_000])('%i ms away neither hurries a take-over nor puts it off', async (milliseconds) => {
    const { master, shadow } = await startConnectedPair()
    await stop(master)
    await pass(shadow, 10)
    shadow.clock.shift(milliseconds)
    await passSteps(shadow, 4, 1)
    expect(await roleOf(shadow)).toBe('shadow')
    await passSteps(shadow, 2, 1)
    expect(await roleOf(shadow)).toBe('master')
  })
})

describe('a master that answers', () => {
  it('is no lost one, whatever it answers: its shadow stays one', async () => {
    const { master, shadow } = await startConnectedPair()
    Object.assign(master.pair.served, {
      requirePeer: () => {
        throw new Error('another shadow has taken the place')
      },
    })
    await passSteps(shadow, 30)
    expect([await roleOf(shadow), await stateOf(shadow, 'shadow'), await tunnelOf(shadow)]).toEqual([
      'shadow',
      'DISCONNECTED',
      'Disconnected',
    ])
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

describe('the text on the log-on page', () => {
  it('is that of each instance', async () => {
    const { master, shadow } = await startPair()
    const path = '/api/private/v1/loginInformation'
    for (const bench of [shadow, master])
      expect((await bench.call('PUT', path, { html: `<b>${await roleOf(bench)}</b>` })).status).toBe(204)
    expect((await master.call('PUT', cfg, { description: 'pushed' })).status).toBe(200)
    await until(() => shadow.editor.document.connector.description === 'pushed')
    expect((await shadow.call('GET', path)).json()).toEqual({ html: '<b>shadow</b>' })
    expect((await master.call('GET', path)).json()).toEqual({ html: '<b>master</b>' })
  })
})

describe('the certificate of the interface', () => {
  const ui = `${cfg}/ui/uiCertificate`
  const wish = { type: 'selfsigned', keySize: 2048, subjectDN: 'CN=m', validityInDays: 1, autoRenewal: true }

  it('is not renewed while the other instance knows this one by it, and the log says what to do', async () => {
    const master = await start({ haRole: 'master', clock: createManualClock(Date.now()), isPageReplaced: true })
    const shadow = await start({ haRole: 'shadow', clock: createManualClock(Date.now()), isPageReplaced: true })
    expect((await master.call('POST', ui, wish)).status).toBe(201)
    await enable(master)
    await configure(shadow, master)
    expect((await connect(shadow)).status).toBe(204)
    const before = (await master.call('GET', ui)).json()
    master.clock.advance(13 * 3_600_000)
    const warned: string[] = []
    const { access, clock, editor, pair } = master
    const log = { ...silentLogger, warn: (_fields: unknown, message: string) => void warned.push(message) }
    const end = renewGeneratedCertificates({ access, editor, pair, clock, log })
    clock.advance(0)
    await end()
    expect((await master.call('GET', ui)).json()).toEqual(before)
    expect(warned).toEqual([expect.stringContaining('connect the shadow again with user and password')])
    await pass(shadow, 10)
    expect(await stateOf(shadow, 'shadow')).toBe('READY')
  })

  it('that is another one keeps the shadow from taking over, also when the master falls silent, until both have met again', async () => {
    const cloud = await startSmallCloud({})
    const master = await start({ haRole: 'master', clock: createManualClock(Date.now()), isPageReplaced: true })
    const shadow = await start({ haRole: 'shadow', clock: createManualClock(Date.now()) })
    const self = { name: 'Self', host: 'cf.self.example', url: cloud.url, authority: cloud.authority }
    await master.call('POST', '/api/private/v1/regions', self)
    const byUser = { regionHost: self.host, subaccount: 'demo', cloudUser: 'admin', cloudPassword: 'secret' }
    expect((await master.call('POST', '/api/v1/configuration/subaccounts', byUser)).status).toBe(201)
    await enable(master)
    await configure(shadow, master)
    expect((await connect(shadow)).status).toBe(204)
    expect((await master.call('POST', ui, wish)).status).toBe(201)
    await pass(shadow, 10)
    expect(await stateOf(shadow, 'shadow')).toBe('DISCONNECTED')
    await stop(master)
    await passSteps(shadow, 40)
    expect([await roleOf(shadow), await stateOf(shadow, 'shadow')]).toEqual(['shadow', 'LOST'])
    expect((await shadow.call('GET', `${ha}/shadow/state`)).json().stateMessage).toContain('another certificate')
    await stop(shadow)
    await cloud[Symbol.asyncDispose]()
  })
})

describe('after a take-over', () => {
  it('CC-137 a former master that starts again becomes the shadow of the new one', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    const { clock, identity, material, port } = master
    await stop(master)
    await takeOver(shadow)
    await shadow.call('PUT', cfg, { description: 'by the new master' })
    const before = held(cloud)
    const again = await start({ clock, identity, material, port })
    expect(await roleOf(again)).toBe('shadow')
    // It asked before it opened a tunnel of its own: that of the new master is the one of before.
    expect([await tunnelOf(again), held(cloud)]).toEqual(['Disconnected', before])
    await pass(again, 1)
    await until(() => again.editor.document.connector.description === 'by the new master')
    expect([await stateOf(again, 'shadow'), await stateOf(shadow, 'master')]).toEqual(['READY', 'CONNECTED'])
  })

  it('opens a tunnel again that the former master had replaced, as soon as that is its shadow', async () => {
    const { master, network, shadow } = await startConnectedPair()
    network.cut = true
    await takeOver(shadow)
    await until(async () => (await tunnelOf(master)) !== 'Connected')
    const state = `${demo}/state`
    await master.call('PUT', state, { connected: false })
    await master.call('PUT', state, { connected: true })
    await until(async () => (await tunnelOf(shadow)) !== 'Connected')
    network.cut = false
    await passSteps(shadow, 12)
    await until(async () => (await roleOf(master)) === 'shadow')
    expect(await tunnelOf(shadow)).not.toBe('Connected')
    await passSteps(master, 4, 1)
    await until(async () => (await tunnelOf(shadow)) === 'Connected')
    expect([await roleOf(master), await roleOf(shadow)]).toEqual(['shadow', 'master'])
  })

  it('CC-138 two masters that meet again become a pair: the former one becomes the shadow', async () => {
    const { master, network, shadow } = await startConnectedPair()
    // The shadow does not see the master any more, while both live.
    network.cut = true
    await takeOver(shadow)
    expect(await roleOf(master)).toBe('master')
    network.cut = false
    await pass(shadow, 10)
    await until(async () => (await roleOf(master)) === 'shadow')
    expect([await roleOf(shadow), await roleOf(master)]).toEqual(['master', 'shadow'])
    expect([await tunnelOf(shadow), await tunnelOf(master)]).toEqual(['Connected', 'Disconnected'])
  })
})

describe('a former master', () => {
  it('takes over as soon as its own shadow would have', async () => {
    const { master, shadow } = await startConnectedPair()
    await switchRoles(master)
    await pass(master, 1)
    await until(async () => (await stateOf(master, 'shadow')) === 'READY')
    await stop(shadow)
    await takeOver(master)
    expect(await tunnelOf(master)).toBe('Connected')
  })
})

describe('switching roles', () => {
  it('hands over to a shadow that can open tunnels', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    expect((await switchRoles(master)).status).toBe(204)
    expect([await roleOf(master), await roleOf(shadow)]).toEqual(['shadow', 'master'])
    expect([await tunnelOf(master), await tunnelOf(shadow), cloud.service.tunnels.list()]).toEqual([
      'Disconnected',
      'Connected',
      [expect.objectContaining({ subaccount: 'demo' })],
    ])
    await pass(master, 10)
    await until(async () => (await stateOf(master, 'shadow')) === 'READY')
    await until(async () => (await stateOf(shadow, 'master')) === 'CONNECTED')
  })

  it('brings what was acknowledged just before', async () => {
    const { master, shadow } = await startConnectedPair()
    expect((await master.call('PUT', cfg, { description: 'at the last moment' })).status).toBe(200)
    expect((await switchRoles(master)).status).toBe(204)
    expect((await shadow.call('GET', cfg)).json()).toEqual({ ha: 'master', description: 'at the last moment' })
  })

  it('CC-139 is refused when the shadow cannot connect any subaccount', async () => {
    const { cloud, master, network, shadow } = await startConnectedPair()
    const before = held(cloud)
    network.cloudCut = true
    const answer = await switchRoles(master)
    expect([answer.status, answer.json().message]).toEqual([409, expect.stringContaining('no tunnel of any subaccount')])
    expect([await roleOf(master), await roleOf(shadow)]).toEqual(['master', 'shadow'])
    // The tunnel of the master has not been touched.
    expect([await tunnelOf(master), held(cloud)]).toEqual(['Connected', before])
    network.cloudCut = false
    expect((await switchRoles(master)).status).toBe(204)
  })

  it('CC-140 by force works without a shadow', async () => {
    const master = await start({ haRole: 'master' })
    expect((await switchRoles(master)).status).toBe(409)
    expect((await switchRoles(master, 'other')).status).toBe(400)
    expect((await switchRoles(master, 'FORCE_SWITCH')).status).toBe(204)
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

describe('a change that waits while the role is given away', () => {
  it('is refused at its turn: nobody would have it otherwise', async () => {
    const { master, shadow } = await startConnectedPair()
    // The store is slow; meanwhile a change, the switch, and another change line up.
    const store = holdBack(master.material, 'administration')
    const waiting = lineUp(master.editor)
    const before = master.call('PUT', cfg, { description: 'before the switch' })
    await waiting(1)
    const switched = switchRoles(master)
    await waiting(2)
    const after = master.call('PUT', cfg, { description: 'after the switch' })
    const subaccount = master.call('PUT', demo, { description: 'after the switch' })
    await waiting(4)
    store.release()
    expect([(await before).status, (await switched).status, (await after).status, (await subaccount).status]).toEqual([200, 204, 403, 403])
    expect((await shadow.call('GET', cfg)).json()).toEqual({ ha: 'master', description: 'before the switch' })
  })
})

describe('the audit log of a pair', () => {
  const told = ({ audited }: AdministrationBench): readonly string[] =>
    audited
      .filter(({ category, message }) => category === 'Configuration' && /HighAvail|HaRole/.test(message))
      .map(({ message, user }) => {
        expect(message).toContain(`User ${user} changed parameter `)
        return `${user}: ${message.replace(/^.*parameter /, '')}`
      })

  it('CC-146 names who let a shadow in, who made it one and who switched, with what it was and is', async () => {
    const { master, shadow } = await startConnectedPair()
    expect(told(master)).toEqual([
      'sccadmin: HaRole from "undefined" to "master"',
      expect.stringMatching(/^sccadmin: HighAvailabilityMaster from .*"haEnabled":false.* to .*"haEnabled":true/),
      // The shadow has shown this user's password.
      expect.stringMatching(`^Administrator: HighAvailabilityPeer from {} to {"host":"127.0.0.1","port":${shadow.port},"certificate":"..:`),
    ])
    expect(told(shadow)).toEqual([
      'sccadmin: HaRole from "undefined" to "shadow"',
      expect.stringMatching(`^sccadmin: HighAvailabilityShadow from .*"masterPort":0.* to .*"masterPort":${master.port}`),
      expect.stringMatching(`^sccadmin: HighAvailabilityPeer from {} to {"host":"127.0.0.1","port":${master.port},`),
    ])
    const [ofMaster, ofShadow] = [told(master).length, told(shadow).length]
    await master.call('POST', `${ha}/master/state`, { op: 'SWITCH' }, { headers: { 'x-role': 'sccadmin' } })
    expect(told(master).slice(ofMaster)).toEqual(['sccadmin: HaRole from "master" to "shadow"'])
    expect(told(shadow).slice(ofShadow)).toEqual(['sccadmin: HaRole from "shadow" to "master"'])
    const { secret } = shadow.pair.settings.peer ?? { secret: 'none' }
    expect(JSON.stringify([master.audited, shadow.audited])).not.toContain(secret)
    expect(JSON.stringify(shadow.audited)).not.toContain(credentials.password)
  })

  it('CC-146 names nobody where an instance decides by itself, and who disconnects and resets', async () => {
    const { master, shadow } = await startConnectedPair()
    const before = told(shadow).length
    await shadow.call('POST', `${ha}/shadow/state`, { op: 'DISCONNECT' })
    await connect(shadow, {})
    await stop(master)
    await takeOver(shadow)
    await shadow.call('DELETE', `${ha}/master/state`)
    expect(told(shadow).slice(before)).toEqual([
      'sccadmin: HighAvailabilityLooksAfterMaster from true to false',
      'sccadmin: HighAvailabilityLooksAfterMaster from false to true',
      'high availability: HaRole from "shadow" to "master"',
      expect.stringMatching(/^sccadmin: HighAvailabilityPeer from .* to {}$/),
    ])
  })

  it('is empty while it is off', async () => {
    const master = await start({ haRole: 'master' })
    await master.call('PATCH', `${cfg}/auditLog`, { level: 'OFF' })
    const before = master.audited.length
    expect((await enable(master)).status).toBe(204)
    expect(master.audited).toHaveLength(before)
  })
})

/** Makes saving this name wait until it is released. */
function holdBack(material: MaterialStore, slow: string): { release(): void } {
  const { save } = material
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  Object.assign(material, {
    async save(name: string, text: string) {
      if (name === slow) await released
      await save(name, text)
    },
  })
  return { release: () => release() }
}

/** Tells when so many changes have been asked for. */
function lineUp(editor: ConfigurationEditor): (count: number) => Promise<void> {
  const { change } = editor
  let asked = 0
  Object.assign(editor, {
    change(...given: Parameters<typeof change>) {
      asked++
      return change(...given)
    },
  })
  return (count) => until(() => asked >= count)
}

describe('a pair without a master', () => {
  it('CC-142 gets one by a change of the role of an instance that is not running', async () => {
    const { master, shadow } = await startConnectedPair()
    await stop(master)
    const { clock, identity, material, port } = shadow
    await stop(shadow)
    // Started while the master is away, a shadow does not take over by itself.
    const still = await start({ clock, identity, material, port })
    await passSteps(still, 20)
    expect([await roleOf(still), await stateOf(still, 'shadow'), await tunnelOf(still)]).toEqual(['shadow', 'LOST', 'Disconnected'])
    await stop(still)
    await changeRole(material, 'master', '1.2.3')
    const changed = await start({ clock, identity, material, port })
    await until(async () => (await tunnelOf(changed)) === 'Connected')
    expect(await roleOf(changed)).toBe('master')
    const former = await start({ clock: master.clock, identity: master.identity, material: master.material, port: master.port })
    expect(await roleOf(former)).toBe('shadow')
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
