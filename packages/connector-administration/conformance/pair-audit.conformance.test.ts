import { describe, expect, it } from 'vitest'
import type { AdministrationBench } from './administration-bench.ts'
import { cfg, connect, credentials, enable, ha, start, startConnectedPair, stop, takeOver } from './pair-bench.ts'

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
