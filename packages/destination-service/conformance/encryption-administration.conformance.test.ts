import { createDestinationAdministration, type DestinationAdministration, type DestinationRole } from '@sallyport/admin-api'
import type { AuditEntry } from '@sallyport/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConnectionChecker } from '../src/index.ts'
import { offeredKey, providerSubaccount, type RunningService, startService } from './running-service.ts'

let running: RunningService
let audited: AuditEntry[]
let auditFails: boolean
beforeEach(async () => {
  audited = []
  auditFails = false
  running = await startService({
    connections: createConnectionChecker({ privateAddresses: 'refuse' }),
    audit: {
      get failing() {
        return auditFails
      },
      write: (entry) => void audited.push(entry),
      flushed: () => Promise.resolve(),
    },
  })
  await running.call('POST', '/v1/subaccountDestinations', { body: { Name: 'D', Type: 'HTTP', URL: 'https://d.test', Password: 'p4ss' } })
  audited = []
})
afterEach(() => running.close())

const as = (...roles: readonly DestinationRole[]): DestinationAdministration =>
  createDestinationAdministration({ url: new URL(running.url).origin, token: async () => running.personToken({ roles }), request: fetch })

describe('keys of customers in the administration', () => {
  it('are taken into use, rotated and released by who manages the other keys of the subaccount, and audited', async () => {
    const administration = as('Destination Administrator')
    expect(await administration.encryption()).toEqual({ keyOwner: 'operator', offered: true })
    expect(await administration.useCustomerKey()).toMatchObject({ keyOwner: 'customer', state: 'usable' })
    expect(await administration.useCustomerKey()).toMatchObject({ keyOwner: 'customer' })
    running.keySystem.rotate(offeredKey.key)
    expect(await administration.rotateCustomerKey()).toMatchObject({ state: 'usable' })
    running.keySystem.retire(offeredKey.key)
    expect(await running.customerKeys.states(providerSubaccount)).toMatchObject([{ state: 'usable' }])
    expect(await administration.releaseCustomerKey()).toEqual({ keyOwner: 'operator', offered: true })
    await expect(administration.releaseCustomerKey()).rejects.toThrow('is not encrypted with a key of its owner')
    expect(audited.map(({ category, message }) => [category, message])).toEqual([
      ['Encryption', 'the subaccount is encrypted with a key of its owner'],
      ['Encryption', 'the subaccount is encrypted with the newest version of the key of its owner'],
      ['Encryption', 'the subaccount is not encrypted with a key of its owner any more'],
    ])
    expect((await running.call('GET', '/v1/subaccountDestinations/D')).json).toMatchObject({ Password: 'p4ss' })
  })

  it('are shown to who may see trust and changed by nobody else', async () => {
    const viewer = as('Destination Viewer')
    expect((await running.administer('GET', '/subaccount/encryption', { token: running.personToken({ roles: [] }) })).status).toBe(403)
    for (const attempt of [() => viewer.useCustomerKey(), () => viewer.rotateCustomerKey(), () => viewer.releaseCustomerKey()])
      await expect(attempt()).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    expect(await running.customerKeys.states()).toEqual([])
  })

  it('that are taken back are shown as such; changes are refused with a sentence that names neither system nor key', async () => {
    const administration = as('Destination Administrator')
    await administration.useCustomerKey()
    running.keySystem.revoke(offeredKey.key)
    expect(await administration.encryption()).toMatchObject({ keyOwner: 'customer', state: 'unavailable' })
    const token = running.personToken({ roles: ['Destination Administrator'] })
    for (const [method, path] of [
      ['POST', '/customerKey/rotate'],
      ['DELETE', '/customerKey'],
    ] as const) {
      const answer = await running.administer(method, `/subaccount/encryption${path}`, { token })
      expect(answer.status).toBe(422)
      expect(answer.text).not.toMatch(/offered|secret-system-name/)
    }
    running.keySystem.restore(offeredKey.key)
    expect(await administration.encryption()).toMatchObject({ state: 'usable' })
  })

  it('stay as they are while changes cannot be audited', async () => {
    auditFails = true
    const answer = await running.administer('PUT', '/subaccount/encryption/customerKey', {
      token: running.personToken({ roles: ['Destination Administrator'] }),
    })
    expect(answer.status).toBe(503)
    expect(await running.customerKeys.states()).toEqual([])
  })
})
