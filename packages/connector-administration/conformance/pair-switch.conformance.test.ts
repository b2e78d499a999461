import { describe, expect, it } from 'vitest'
import {
  cfg,
  enable,
  ha,
  held,
  pass,
  roleOf,
  start,
  startConnectedPair,
  startPair,
  stateOf,
  switchRoles,
  tunnelOf,
  until,
} from './pair-bench.ts'

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
