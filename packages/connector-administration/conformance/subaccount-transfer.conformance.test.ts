import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readZip, writeZip } from '../src/backup/zip-file.ts'
import { editSubaccount } from '../src/document/edit-subaccount.ts'
import type { AdministrationBench } from './administration-bench.ts'
import { mappingTo, region, startTransferBench, waysOf } from './transfer-bench.ts'

const v1 = (subaccount: string): string => `/api/v1/configuration/subaccounts/${region}/${subaccount}`
const own = (subaccount: string): string => `/api/private/v1/subaccounts/${region}/${subaccount}/configuration`
const channel = { k8sCluster: 'cp.example.org:443', k8sService: 'orders', port: 5432, connections: 2, comment: 'of plant 7' }
const issuer = 'https://issuer.example/secret-tenant'

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startTransferBench()
  for (const [subaccount, localHost] of [
    ['from', 'new.internal'],
    ['to', 'old.internal'],
  ] as const) {
    await bench.call('POST', `${v1(subaccount)}/systemMappings`, mappingTo(localHost, 'both'))
    await bench.call('POST', `${v1(subaccount)}/systemMappings/both:443/resources`, { id: `/${subaccount}`, enabled: true })
    await bench.call('POST', `${v1(subaccount)}/domainMappings`, { virtualDomain: `${subaccount}.cloud`, internalDomain: 'intranet.corp' })
  }
  await bench.call('POST', `${v1('from')}/systemMappings`, mappingTo('new.internal', 'one'))
  await bench.call('POST', `${v1('from')}/domainMappings`, { virtualDomain: 'from.cloud', internalDomain: 'other.corp' })
  await bench.call('POST', `${v1('from')}/channels/K8S`, channel)
  await bench.editor.change('test', (document) =>
    editSubaccount(document, { regionHost: region, subaccount: 'from' }, (entry) => ({
      ...entry,
      auditLevel: 'ALL',
      // What arrives is disabled, whatever it was.
      channels: entry.channels.map((each) => ({ ...each, enabled: true })),
      trust: { automatic: true, untrustedIssuers: [issuer] },
    })),
  )
})
afterEach(() => bench[Symbol.asyncDispose]())

const { archive, copying, importing } = waysOf('configuration', () => bench)
const read = async (path: string): Promise<any> => (await bench.call('GET', `${v1('to')}/${path}`)).json()
const shown = async (): Promise<unknown> => ({
  mappings: (await read('systemMappings')).map(({ localHost, virtualHost }: any) => [virtualHost, localHost]),
  resources: (await read('systemMappings/both:443/resources')).map(({ id }: any) => id),
  domains: (await read('domainMappings')).map(({ internalDomain, virtualDomain }: any) => [internalDomain, virtualDomain]),
  channels: (await read('channels/K8S')).map(({ enabled, id, k8sService, port }: any) => [id, k8sService, port, enabled]),
})

describe.each([
  ['a file', importing],
  ['another subaccount', copying],
])('a subaccount from %s', (_from, bring) => {
  it('CC-041 brings mappings, cookie domains and channels, but no trust and no audit level', async () => {
    expect(await bring({})).toBe(204)
    expect(await shown()).toEqual({
      mappings: [
        ['both', 'old.internal'],
        ['one', 'new.internal'],
      ],
      resources: ['/to'],
      domains: [
        ['intranet.corp', 'to.cloud'],
        ['other.corp', 'from.cloud'],
      ],
      channels: [[1, 'orders', 5432, false]],
    })
    expect((await bench.call('GET', `${v1('to')}/trust`)).json()).toEqual({ autoSyncTrustEnabled: false })
    expect(bench.rendered('to')).toMatchObject({ trust: { automatic: false, untrustedIssuers: [] }, audit: { level: 'SECURITY' } })
  })

  it('CC-041 replaces what both have when it is told to, and brings no resources when it is told not to', async () => {
    expect(await bring({})).toBe(204)
    await bench.call('PUT', `${v1('from')}/channels/K8S/1`, { ...channel, k8sService: 'changed' })
    expect(await bring({ overwrite: 'true', includeResources: 'false' })).toBe(204)
    expect(await shown()).toEqual({
      mappings: [
        ['both', 'new.internal'],
        ['one', 'new.internal'],
      ],
      resources: [],
      domains: [
        ['intranet.corp', 'from.cloud'],
        ['other.corp', 'from.cloud'],
      ],
      channels: [[2, 'changed', 5432, false]],
    })
  })
})

it('the file says nothing about trust, and what is no such file changes nothing', async () => {
  const text =
    readZip(await archive())
      .get('subaccount.json')
      ?.toString() ?? ''
  expect(text).not.toMatch(/trust|issuer|audit/i)
  const before = await shown()
  for (const [content, message] of [
    [writeZip({ 'other.json': '{}' }, bench.clock.now()), 'the archive holds no subaccount.json'],
    [writeZip({ 'subaccount.json': 'no json' }, bench.clock.now()), 'subaccount.json in the archive is not JSON'],
    [writeZip({ 'subaccount.json': '{"version":2}' }, bench.clock.now()), 'subaccount.json.version: has to be 1; it was 2'],
    [Buffer.from('rubbish'), 'the file is no ZIP archive'],
  ] as const) {
    const answer = await bench.upload('POST', own('to'), [['archive', content]])
    expect([answer.status, answer.json().message]).toEqual([400, message])
  }
  expect((await bench.call('POST', `${own('to')}/copy`, { regionHost: region, subaccount: 'none' })).status).toBe(404)
  expect((await bench.call('POST', `${own('none')}/copy`, { regionHost: region, subaccount: 'from' })).status).toBe(404)
  expect((await bench.call('POST', `${own('to')}/copy`, { regionHost: region, subaccount: 'from' }, { as: 'sccsupport' })).status).toBe(403)
  expect(await shown()).toEqual(before)
})
