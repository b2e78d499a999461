import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  changePassword,
  configure,
  connect,
  credentials,
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
  tunnelOf,
  until,
} from './pair-bench.ts'

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

describe('the other instance', () => {
  it('is known by its secret alone', async () => {
    const { master } = await startPair()
    for (const authorization of ['Bearer wrong', 'Basic QWRtaW5pc3RyYXRvcjptYW5hZ2U=', '']) {
      for (const [method, path] of [
        ['POST', 'ping'],
        ['GET', 'snapshot'],
        ['POST', 'takeOver'],
        ['POST', 'configurationChanged'],
        ['POST', 'restoring'],
      ] as const) {
        const body = path === 'ping' ? { role: 'master', term: 99, revision: 1, digest: '' } : undefined
        const answer = await master.call(method, `/api/private/v1/highAvailability/${path}`, body, { headers: { authorization } })
        expect(answer.status).toBe(403)
      }
    }
    expect(await roleOf(master)).toBe('master')
  })
})
