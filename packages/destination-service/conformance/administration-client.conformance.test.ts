import { createDestinationAdministration, type DestinationAdministration, type DestinationRole } from '@sallyport/admin-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConnectionChecker } from '../src/index.ts'
import { instanceId, providerSubaccount, type RunningService, startService } from './running-service.ts'

let running: RunningService

beforeEach(async () => {
  running = await startService({ connections: createConnectionChecker({ privateAddresses: 'refuse' }) })
})
afterEach(() => running.close())

const clientOf = (...roles: readonly DestinationRole[]): DestinationAdministration =>
  createDestinationAdministration({ url: running.url, token: () => Promise.resolve(running.personToken({ roles })), request: fetch })

describe('the typed client of the administration against the real service', () => {
  it('edits, duplicates, labels, exchanges, checks and deletes', async () => {
    const client = clientOf('Destination Administrator', 'Space Developer')
    const properties = { Name: 'a/b', Type: 'HTTP', URL: 'http://127.0.0.1:1', Password: 'hunter2' }
    expect(await client.create('subaccount', 'destinations', { properties: { ...properties, Name: 'A' } })).toMatchObject({
      secrets: ['Password'],
    })
    expect(await client.create('subaccount', 'destinations', { properties: { ...properties, Name: 'A' } })).toBeUndefined()
    const draft = { properties: { Name: 'A', Type: 'HTTP', URL: 'http://127.0.0.1:2' }, keepSecrets: ['Password'] }
    const replaced = await client.replace('subaccount', 'destinations', 'A', draft)
    expect(replaced).toMatchObject({ properties: draft.properties, secrets: ['Password'] })
    await expect(client.replace('subaccount', 'destinations', 'A', draft, '0')).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
    expect(await client.replace('subaccount', 'destinations', 'B', draft)).toBeUndefined()
    expect(await client.setLabels('subaccount', 'destinations', 'A', [{ key: 'k', values: ['v'] }])).toBe(true)
    expect(await client.setLabels('subaccount', 'fragments', 'A', [])).toBe(false)
    expect(await client.get('subaccount', 'destinations', 'A')).toMatchObject({ labels: [{ key: 'k', values: ['v'] }] })
    expect(await client.get('subaccount', 'fragments', 'A')).toBeUndefined()
    expect((await client.list('subaccount', 'destinations')).map(({ name }) => name)).toEqual(['A'])
    const file = await client.export('subaccount', 'destinations', { format: 'properties' })
    expect(file.fileName).toBe('A.properties')
    const order = { fileName: file.fileName, content: file.content, existing: 'update', review: false } as const
    expect(await client.import({ instance: instanceId }, 'destinations', order)).toEqual([
      { name: 'A', outcome: 'created', missingSecrets: ['Password'] },
    ])
    expect(await client.check('subaccount', 'A')).toMatchObject({ successful: false, hops: [{ hop: 'address', ok: false }] })
    expect(await client.check('subaccount', 'none')).toBeUndefined()
    expect(await client.delete('subaccount', 'destinations', 'A')).toBe(true)
    expect(await client.delete('subaccount', 'destinations', 'A')).toBe(false)
    expect(await client.delete('subaccount', 'fragments', 'A')).toBe(false)
    expect(await client.certificates('subaccount')).toEqual([])
  })

  it('says who one is, which instances there are, and applies parameters', async () => {
    const client = clientOf('Destination Administrator', 'Space Developer')
    expect(await client.session()).toMatchObject({ subaccount: providerSubaccount, editor: true })
    expect((await client.instances()).map(({ id }) => id)).toContain(instanceId)
    expect(await client.applyParameters(instanceId, { HTML5Runtime_enabled: true })).toEqual({ created: 0, replaced: 0, kept: 0 })
    await expect(client.applyParameters(instanceId, { html5: true })).rejects.toMatchObject({
      code: 'DESTINATION_INVALID',
      message: expect.stringContaining('unknown key "html5"') as string,
    })
  })

  it('passes on which role is lacking', async () => {
    await expect(clientOf('Destination Viewer').create('subaccount', 'destinations', { properties: {} })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringContaining('one of the roles Destination Administrator, Destination Configuration Administrator') as string,
    })
  })
})
