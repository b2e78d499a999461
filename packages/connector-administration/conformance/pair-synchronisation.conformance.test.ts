import { describe, expect, it } from 'vitest'
import type { AdministrationBench } from './administration-bench.ts'
import { cfg, configure, connect, credentials, enable, ha, pass, roleOf, start, startPair, stateOf, stop, until } from './pair-bench.ts'

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

  it('CC-133 users, the certificate that is shown, log levels and what each counts for itself stay what they are', async () => {
    const { master, shadow } = await startPair()
    await shadow.send('PUT', `${cfg}/authentication/basic`, {
      body: { oldPassword: 'manage', newPassword: 'of the shadow' },
      user: 'Administrator:manage',
    })
    await master.material.save('alerts', 'of the master')
    const shown = async (bench: AdministrationBench) => (await bench.call('GET', `${cfg}/ui/uiCertificate`)).json()
    const shownBefore = await shown(shadow)
    expect((await master.call('PATCH', `${cfg}/logAndTrace`, { sccLogLevel: 'DEBUG' })).status).toBe(204)
    expect((await shadow.call('PATCH', `${cfg}/logAndTrace`, { sccLogLevel: 'WARN' })).status).toBe(204)
    await master.call('PUT', cfg, { description: 'pushed' })
    master.clock.advance(0)
    await until(() => shadow.editor.document.connector.description === 'pushed')
    const logOn = async (bench: AdministrationBench, password: string): Promise<number> =>
      (await bench.send('GET', cfg, { user: `Administrator:${password}` })).status
    expect([await logOn(shadow, 'of the shadow'), await logOn(shadow, credentials.password)]).toEqual([200, 401])
    expect(await shadow.material.load('alerts')).not.toBe('of the master')
    const levelOf = async (bench: AdministrationBench) => (await bench.call('GET', `${cfg}/logAndTrace`)).json().sccLogLevel
    expect([await levelOf(master), await levelOf(shadow)]).toEqual(['DEBUG', 'WARN'])
    expect(await shown(shadow)).toEqual(shownBefore)
    expect(await shown(master)).not.toEqual(shownBefore)
    // What is kept counts after a start.
    const { clock, identity, material, port } = shadow
    await stop(shadow)
    const again = await start({ clock, identity, material, port })
    expect([await logOn(again, 'of the shadow'), await logOn(again, credentials.password)]).toEqual([200, 401])
    expect((await again.call('GET', `${ha}/shadow/config`)).json().takeoverDelayInSeconds).toBe(5)
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
