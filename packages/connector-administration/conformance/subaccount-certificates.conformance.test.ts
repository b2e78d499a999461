import { X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { region } from './small-cloud.ts'
import { byUser, demo, startSubaccountBench, type SubaccountBench, subaccounts } from './subaccount-bench.ts'

const day = 86_400_000

let world: SubaccountBench
beforeEach(async () => {
  world = await startSubaccountBench()
})
afterEach(() => world[Symbol.asyncDispose]())

describe('the certificate of a subaccount', () => {
  it('CC-038 is valid for a year, and since an hour ago', async () => {
    await world.add()
    const { notAfterTimeStamp, notBeforeTimeStamp } = (await world.read()).tunnel.subaccountCertificate
    expect(Math.abs(world.clock.now() - 3_600_000 - notBeforeTimeStamp)).toBeLessThan(1000)
    expect(Math.abs(world.clock.now() + 365 * day - notAfterTimeStamp)).toBeLessThan(1000)
  })

  it('CC-034 is renewed by user and password, and by authentication data, for a year from then', async () => {
    await world.add()
    for (const body of [
      () => ({ user: 'admin', password: 'secret' }),
      () => ({ cloudUser: 'admin', cloudPassword: 'secret' }),
      async () => ({ authenticationData: await world.cloud.authenticationData('demo') }),
    ]) {
      world.clock.advance(10 * day)
      const before = (await world.read()).tunnel.subaccountCertificate
      const answer = await world.bench.call('POST', `${demo}/validity`, await body())
      expect(answer.status).toBe(200)
      const after = answer.json().tunnel.subaccountCertificate
      expect(after.serialNumber).not.toBe(before.serialNumber)
      expect(Math.abs(world.clock.now() + 365 * day - after.notAfterTimeStamp)).toBeLessThan(1000)
    }
    expect((await world.bench.call('POST', `${demo}/validity`, { user: 'admin', password: 'guess' })).status).toBe(400)
    expect((await world.bench.call('POST', `${demo}/validity`, {})).status).toBe(400)
    const kept = JSON.parse((await world.bench.material.load('identity demo ')) ?? '{}') as { readonly certificate: string }
    const { serialNumber } = (await world.read()).tunnel.subaccountCertificate
    expect(new X509Certificate(kept.certificate).serialNumber.toLowerCase()).toBe(serialNumber.replaceAll(':', ''))
  })

  it('CC-035 is not renewed by authentication data for elsewhere', async () => {
    await world.add()
    const before = (await world.read()).tunnel.subaccountCertificate
    for (const authenticationData of [
      await world.cloud.authenticationData('demo', { regionHost: 'cf.other.example' }),
      await world.cloud.authenticationData('other'),
    ]) {
      expect((await world.bench.call('POST', `${demo}/validity`, { authenticationData })).status).toBe(400)
    }
    expect((await world.read()).tunnel.subaccountCertificate).toEqual(before)
  })
})

describe('regions', () => {
  it('CC-039 one that was added is in the list and leads to its own service', async () => {
    const list = (await world.bench.call('GET', '/api/private/v1/regions')).json()
    expect(list[0]).toEqual({ name: 'Self', host: region, custom: true })
    expect(list).toContainEqual({ name: 'Europe (Frankfurt) - AWS', host: 'cf.eu10.hana.ondemand.com', custom: false })
    expect((await world.add()).status).toBe(201)
    const moved = { name: 'Moved', host: region, url: 'https://127.0.0.1:9', authority: world.cloud.authority }
    expect((await world.bench.call('PUT', `/api/private/v1/regions/${region}`, moved)).status).toBe(204)
    const answer = await world.bench.call('POST', subaccounts, { ...byUser, subaccount: 'second' })
    expect([answer.status, answer.json()]).toEqual([500, { type: 'RUNTIME_FAILURE', message: expect.stringContaining('127.0.0.1:9') }])
    expect((await world.bench.call('DELETE', `/api/private/v1/regions/${region}`)).status).toBe(204)
    expect((await world.bench.call('DELETE', `/api/private/v1/regions/${region}`)).status).toBe(404)
    // What was added before still knows where its certificates come from.
    expect((await world.bench.call('POST', `${demo}/validity`, { user: 'admin', password: 'secret' })).status).toBe(200)
  })
})
