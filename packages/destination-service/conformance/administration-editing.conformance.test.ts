import type { AdministeredEntity, ExchangedFile, ImportedEntry } from '@sallyport/admin-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConnectionChecker, type EntityRepository } from '../src/index.ts'
import { type Answered, providerSubaccount, type RunningService, startService } from './running-service.ts'

const erp = {
  Name: 'ERP',
  Type: 'HTTP',
  URL: 'https://erp.example:443/a?b=c',
  Authentication: 'BasicAuthentication',
  User: 'u',
  Password: 'hunter2',
}
const { Password: _password, ...visible } = erp

let running: RunningService
/** What somebody else does before the next replacement, once. */
let meanwhile: ((repository: EntityRepository) => Promise<unknown>) | undefined

function disturbed(repository: EntityRepository): EntityRepository {
  return {
    ...repository,
    async replace(...replacement) {
      const change = meanwhile
      meanwhile = undefined
      await change?.(repository)
      return repository.replace(...replacement)
    },
  }
}

beforeEach(async () => {
  meanwhile = undefined
  running = await startService({ connections: createConnectionChecker({ privateAddresses: 'refuse' }), wrapRepository: disturbed })
  await running.call('POST', '/v1/subaccountDestinations', { body: erp })
})
afterEach(() => running.close())

const administer = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered> =>
  running.administer(method, `/subaccount${path}`, {
    token: running.personToken({ roles: ['Destination Administrator'] }),
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers }),
  })
const stored = async (name = 'ERP'): Promise<unknown> => (await running.call('GET', `/v1/subaccountDestinations/${name}`)).json

describe('editing', () => {
  it('never shows a secret', async () => {
    for (const [method, path, body] of [
      ['GET', '/destinations'],
      ['GET', '/destinations/ERP'],
      ['PUT', '/destinations/ERP', { properties: visible, keepSecrets: ['Password'] }],
      ['POST', '/destinations', { properties: { ...visible, Name: 'COPY' }, keepSecrets: ['Password'], secretsFrom: 'ERP' }],
      ['POST', '/destinations/import', { content: btoa(JSON.stringify({ ...visible })), existing: 'update', review: true }],
    ] as const) {
      const answer = await administer(method, path, body)
      expect(answer.status).toBeLessThan(300)
      expect(answer.text).not.toContain('hunter2')
    }
    expect((await administer('GET', '/destinations/ERP')).json).toMatchObject({
      name: 'ERP',
      properties: visible,
      secrets: ['Password'],
      labels: [],
    })
  })

  it('keeps a secret that the draft says to keep, and drops what is not given', async () => {
    const changed = { ...visible, URL: 'https://new.example' }
    expect((await administer('PUT', '/destinations/ERP', { properties: changed, keepSecrets: ['Password'] })).status).toBe(200)
    expect(await stored()).toEqual({ ...changed, Password: 'hunter2' })
    expect((await administer('PUT', '/destinations/ERP', { properties: { ...visible, Password: '' } })).status).toBe(200)
    expect(await stored()).toEqual({ ...visible, Password: '' })
    expect((await administer('PUT', '/destinations/ERP', { properties: visible })).status).toBe(200)
    expect(await stored()).toEqual(visible)
  })

  it('duplicates with the secrets of the original', async () => {
    const draft = { properties: { ...visible, Name: 'COPY' }, keepSecrets: ['Password'], secretsFrom: 'ERP' }
    expect((await administer('POST', '/destinations', draft)).status).toBe(201)
    expect(await stored('COPY')).toEqual({ ...erp, Name: 'COPY' })
    expect((await administer('POST', '/destinations', draft)).status).toBe(409)
    expect((await administer('POST', '/destinations', { ...draft, secretsFrom: 'none' })).status).toBe(404)
  })

  it.each([
    ['a property that is no secret', { keepSecrets: ['User'] }, 'PUT'],
    ['a secret that has a new value', { properties: erp, keepSecrets: ['Password'] }, 'PUT'],
    ['a secret that there is not', { keepSecrets: ['clientSecret'] }, 'PUT'],
    ['a secret of nobody', { properties: { ...visible, Name: 'COPY' }, keepSecrets: ['Password'] }, 'POST'],
    ['secrets of another one', { secretsFrom: 'ERP' }, 'PUT'],
    ['another name', { properties: { ...visible, Name: 'OTHER' } }, 'PUT'],
    ['an unknown member', { secret: 'x' }, 'PUT'],
    ['a property that cannot be stored', { properties: { ...visible, URL: null } }, 'PUT'],
  ])('refuses %s', async (_what, draft, method) => {
    const path = method === 'PUT' ? '/destinations/ERP' : '/destinations'
    expect((await administer(method, path, { properties: visible, ...draft })).status).toBe(400)
    expect(await stored()).toEqual(erp)
  })

  it('refuses to overwrite what somebody else has changed meanwhile', async () => {
    const { version } = (await administer('GET', '/destinations/ERP')).json as AdministeredEntity
    const draft = { properties: visible, keepSecrets: ['Password'] }
    expect((await administer('PUT', '/destinations/ERP', draft, { 'if-match': version })).status).toBe(200)
    expect((await administer('PUT', '/destinations/ERP', draft, { 'if-match': version })).status).toBe(412)
  })

  describe('what somebody changes between reading and writing', () => {
    const level = { subaccountId: providerSubaccount, instanceId: null }
    const draft = { properties: visible, keepSecrets: ['Password'] }
    const changed = { name: 'ERP', properties: { ...erp, Password: 'new-secret' }, sharedWithSubscriber: false }
    beforeEach(() => {
      meanwhile = (repository) => repository.replace('destination', level, [changed], { nowMs: running.clock.now() + 1 })
    })

    it('stays, secrets included', async () => {
      expect((await administer('PUT', '/destinations/ERP', draft)).status).toBe(409)
      expect(await stored()).toEqual(changed.properties)
    })

    it('is another version than the one that If-Match names', async () => {
      const { version } = (await administer('GET', '/destinations/ERP')).json as AdministeredEntity
      expect((await administer('PUT', '/destinations/ERP', draft, { 'if-match': version })).status).toBe(412)
      expect(await stored()).toEqual(changed.properties)
    })

    it('is not found any more when it was deleted', async () => {
      meanwhile = (repository) => repository.remove('destination', level, ['ERP'])
      expect((await administer('PUT', '/destinations/ERP', draft)).status).toBe(404)
    })

    it('stays when a file is imported, too', async () => {
      const order = { content: btoa(JSON.stringify(visible)), existing: 'update', review: false }
      const answer = await administer('POST', '/destinations/import', order)
      expect(answer.json).toMatchObject([{ name: 'ERP', outcome: 'failed', problem: expect.stringContaining('somebody else') as string }])
      expect(await stored()).toEqual(changed.properties)
    })
  })

  it('a version tells nothing of a password', async () => {
    const before = ((await administer('GET', '/destinations/ERP')).json as AdministeredEntity).version
    const etag = (await running.call('GET', '/v1/subaccountDestinations/ERP')).headers.get('etag')
    expect(before).not.toBe(etag)
  })

  it('labels, deletes, and says what it does not know', async () => {
    const labels = [{ key: 'team', values: ['a'] }]
    expect((await administer('PUT', '/destinations/ERP/labels', labels)).status).toBe(200)
    expect((await administer('GET', '/destinations/ERP')).json).toMatchObject({ labels })
    expect((await administer('DELETE', '/destinations/ERP')).status).toBe(200)
    for (const [method, path] of [
      ['GET', '/destinations/ERP'],
      ['DELETE', '/destinations/ERP'],
      ['POST', '/destinations/ERP/check'],
    ] as const)
      expect((await administer(method, path)).status).toBe(404)
  })

  it('fragments are edited the same way', async () => {
    expect((await administer('POST', '/fragments', { properties: { FragmentName: 'f', clientSecret: 's', URL: 'u' } })).status).toBe(201)
    expect((await administer('GET', '/fragments/f')).json).toMatchObject({
      properties: { FragmentName: 'f', URL: 'u' },
      secrets: ['clientSecret'],
    })
    expect((await administer('POST', '/fragments', { properties: { FragmentName: 'g', Name: 'x' } })).status).toBe(400)
  })

  it('writes down who has changed what', async () => {
    await administer('DELETE', '/destinations/ERP')
    expect(running.logged.join('\n')).toContain('"change":"deleted"')
    expect(running.logged.join('\n')).not.toContain('hunter2')
  })
})

describe('import and export', () => {
  const exported = async (order: unknown): Promise<{ readonly fileName: string; readonly text: string }> => {
    const { fileName, content } = (await administer('POST', '/destinations/export', order)).json as ExchangedFile
    return { fileName, text: Buffer.from(content, 'base64').toString('latin1') }
  }
  const imported = async (fileName: string, text: string, options: Record<string, unknown> = {}): Promise<readonly ImportedEntry[]> =>
    (await administer('POST', '/destinations/import', { fileName, content: Buffer.from(text, 'latin1').toString('base64'), ...options }))
      .json as readonly ImportedEntry[]

  it('DS-135 a properties export escapes ":" and "=", has a comment instead of each secret, and comes back without them', async () => {
    const { fileName, text } = await exported({ format: 'properties', names: ['ERP'] })
    expect(fileName).toBe('ERP.properties')
    expect(text.split('\n')[0]).toBe('#Password=<< Existing password/certificate removed on export >>')
    expect(text).toContain('\nURL=https\\://erp.example\\:443/a?b\\=c\n')
    expect(text).not.toContain('hunter2')
    await administer('DELETE', '/destinations/ERP')
    expect(await imported(fileName, text)).toEqual([{ name: 'ERP', outcome: 'created', missingSecrets: ['Password'] }])
    expect(await stored()).toEqual(visible)
  })

  it.each(['json', 'yaml'])('a %s export comes back without its secrets', async (format) => {
    const { fileName, text } = await exported({ format, names: ['ERP'] })
    expect(text).not.toContain('hunter2')
    await administer('DELETE', '/destinations/ERP')
    expect(await imported(fileName, text)).toMatchObject([{ name: 'ERP', outcome: 'created' }])
    expect(await stored()).toEqual(visible)
  })

  it('several destinations make an archive, of fragments too', async () => {
    await running.call('POST', '/v1/subaccountDestinations', { body: { Name: 'B', Type: 'TCP', Address: 'x:1' } })
    const { fileName, text } = await exported({ format: 'json' })
    expect(fileName).toBe('export.zip')
    expect(text).toContain('ERP.json')
    expect(text).toContain('B.json')
    expect((await administer('POST', '/fragments/export', { format: 'json' })).status).toBe(404)
    expect((await administer('POST', '/destinations/export', { format: 'json', names: ['ERP', 'none'] })).status).toBe(404)
    expect((await administer('POST', '/destinations/export', { format: 'xml' })).status).toBe(400)
  })

  it('what exists fails, stays or is updated with the secrets that are stored', async () => {
    const text = JSON.stringify([
      { ...visible, URL: 'https://new.example' },
      { Name: 'B', Type: 'TCP' },
    ])
    expect(await imported('a.json', text)).toMatchObject([
      { name: 'ERP', outcome: 'failed', problem: 'it exists already' },
      { outcome: 'created' },
    ])
    expect(await imported('a.json', text, { existing: 'ignore' })).toMatchObject([{ outcome: 'kept' }, { outcome: 'kept' }])
    expect(await stored()).toEqual(erp)
    expect(await imported('a.json', text, { existing: 'update' })).toMatchObject([{ outcome: 'replaced' }, { outcome: 'replaced' }])
    expect(await stored()).toEqual({ ...erp, URL: 'https://new.example' })
  })

  it('a review stores nothing and shows what the file holds', async () => {
    const text = JSON.stringify([{ Name: 'N', Type: 'HTTP', n: 1 }, { Name: 'N', Type: 'HTTP' }, { Type: 'HTTP' }])
    expect(await imported('a.json', text, { review: true })).toEqual([
      { name: 'N', outcome: 'created', missingSecrets: [], properties: { Name: 'N', Type: 'HTTP', n: '1' } },
      { name: 'N', outcome: 'failed', problem: 'the file has it twice', missingSecrets: [], properties: { Name: 'N', Type: 'HTTP' } },
      { name: '', outcome: 'failed', problem: 'Property "Name" is missing', missingSecrets: [] },
    ])
    expect((await running.call('GET', '/v1/subaccountDestinations/N')).status).toBe(404)
  })

  it('a file that cannot be read is refused without being quoted', async () => {
    const answer = await administer('POST', '/destinations/import', { fileName: 'a.json', content: btoa('{"Password":"hunter2"') })
    expect(answer).toMatchObject({ status: 400, json: { ErrorMessage: 'The file is not valid JSON' } })
    expect((await administer('POST', '/destinations/import', { content: 'not base64!' })).status).toBe(400)
  })

  it('is limited by the subaccount', async () => {
    const names = Array.from({ length: 1_000 }, (_, at) => ({
      name: `d${at}`,
      properties: { Name: `d${at}`, Type: 'TCP' },
      sharedWithSubscriber: false,
    }))
    await running.repository.create('destination', { subaccountId: providerSubaccount, instanceId: null }, names.slice(0, 999), {
      nowMs: 0,
      maxPerSubaccount: 1_000,
    })
    expect(await imported('a', 'Name=one-more\nType=TCP')).toMatchObject([
      { outcome: 'failed', problem: 'the subaccount has room for 1000 only' },
    ])
  })
})
