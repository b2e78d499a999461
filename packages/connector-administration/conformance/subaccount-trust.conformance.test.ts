import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { demo, startSubaccountBench, type SubaccountBench } from './subaccount-bench.ts'

let world: SubaccountBench
beforeEach(async () => {
  world = await startSubaccountBench()
})
afterEach(() => world[Symbol.asyncDispose]())

describe('trust', () => {
  it('CC-048 PP-006 is empty for a new subaccount, is not kept up to date before it was fetched once, follows the cloud side when it is told to, and leaves single issuers out', async () => {
    world.cloud.issuers.push({ issuer: 'https://idp.example', name: 'Corporate', type: 'OIDC', keys: [] })
    await world.add()
    const trust = `${demo}/trust`
    expect((await world.bench.call('GET', trust)).json()).toEqual({ autoSyncTrustEnabled: false })
    expect((await world.bench.call('GET', `${trust}/idps`)).json()).toEqual([])
    expect((await world.bench.call('PUT', trust, { autoSyncTrustEnabled: true })).status).toBe(400)
    expect((await world.bench.call('GET', trust)).json()).toEqual({ autoSyncTrustEnabled: false })
    expect((await world.bench.call('POST', trust)).status).toBe(204)
    expect((await world.bench.call('GET', `${trust}/idps`)).json()).toEqual([
      { id: '1', name: 'Corporate', description: '', enabled: true },
    ])
    expect((await world.bench.call('PUT', `${trust}/idps/1`, { enabled: 'false' })).status).toBe(204)
    expect((await world.bench.call('GET', `${trust}/idps/1`)).json()).toMatchObject({ enabled: false })
    expect((await world.bench.call('GET', `${trust}/idps/8`)).status).toBe(404)
    expect((await world.bench.call('PUT', trust, { autoSyncTrustEnabled: true })).status).toBe(204)
    expect((await world.bench.call('GET', trust)).json()).toEqual({ autoSyncTrustEnabled: true })
    expect((await world.bench.call('PUT', trust, {})).status).toBe(400)
    expect((await world.bench.call('GET', `${trust}/apps`)).json()).toEqual([])
    await world.bench.call('PUT', `${demo}/state`, { connected: false })
    expect((await world.bench.call('POST', trust)).json()).toMatchObject({ type: 'RUNTIME_FAILURE' })
  })

  it('CC-123 of a managed subaccount is chosen by administrators alone', async () => {
    world.cloud.issuers.push({ issuer: 'https://idp.example', name: 'Corporate', type: 'OIDC', keys: [] })
    await world.add({ isManaged: true })
    const path = `${demo}/trust/idps/1`
    expect((await world.bench.call('POST', `${demo}/trust`)).status).toBe(204)
    for (const as of ['sccassocadmin', 'sccsubadmin']) {
      expect((await world.bench.call('PUT', path, { enabled: false }, { as })).status).toBe(403)
      expect((await world.bench.call('GET', path, undefined, { as })).json()).toMatchObject({ enabled: true })
    }
    expect((await world.bench.call('PUT', path, { enabled: false })).status).toBe(204)
  })
})
