import { silentLogger } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { changeRole, renewGeneratedCertificates } from '../src/index.ts'
import {
  cfg,
  configure,
  connect,
  demo,
  enable,
  ha,
  held,
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
  tunnelOf,
  until,
} from './pair-bench.ts'
import { startSmallCloud } from './small-cloud.ts'

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
