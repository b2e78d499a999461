import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readZip, writeZip } from '../src/backup/zip-file.ts'
import type { AdministrationBench } from './administration-bench.ts'
import { mappingTo, region, startTransferBench, waysOf } from './transfer-bench.ts'

const pathsOf = (subaccount: string) => ({
  mappings: `/api/v1/configuration/subaccounts/${region}/${subaccount}/systemMappings`,
  own: `/api/private/v1/subaccounts/${region}/${subaccount}`,
})
const from = pathsOf('from')
const to = pathsOf('to')

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startTransferBench()
  for (const name of ['both', 'one']) {
    await bench.call('POST', from.mappings, mappingTo('new.internal', name))
    await bench.call('POST', `${from.mappings}/${name}:443/resources`, { id: '/new', enabled: true })
  }
  await bench.call('POST', to.mappings, mappingTo('old.internal', 'Both'))
  await bench.call('POST', `${to.mappings}/both:443/resources`, { id: '/old', enabled: true })
})
afterEach(() => bench[Symbol.asyncDispose]())

/** What the connector exposes of the second subaccount: virtual name, where it leads, what it admits. */
const exposed = (): readonly unknown[] =>
  (bench.rendered('to').mappings as readonly any[]).map(({ internal, resources, virtual }) => [
    virtual,
    internal,
    (resources as readonly any[]).map(({ path }) => path),
  ])
const { copying, importing } = waysOf('accessControl', () => bench)

describe.each([
  ['a file', importing],
  ['another subaccount', copying],
])('access control from %s', (_from, bring) => {
  it('CC-076 keeps mappings that are there, and replaces them when it is told to', async () => {
    expect(await bring({})).toBe(204)
    expect(exposed()).toEqual([
      ['Both:443', 'https://old.internal:44300', ['/old']],
      ['one:443', 'https://new.internal:44300', ['/new']],
    ])
    expect(await bring({ overwrite: 'true' })).toBe(204)
    expect(exposed()).toEqual([
      ['both:443', 'https://new.internal:44300', ['/new']],
      ['one:443', 'https://new.internal:44300', ['/new']],
    ])
  })

  it('CC-077 exposes nothing without resources', async () => {
    expect(await bring({ overwrite: 'true', includeResources: 'false' })).toBe(204)
    expect(exposed()).toEqual([
      ['both:443', 'https://new.internal:44300', []],
      ['one:443', 'https://new.internal:44300', []],
    ])
  })
})

it('what is no archive of access control changes nothing', async () => {
  const before = exposed()
  for (const wrong of [
    Buffer.from('rubbish'),
    writeZip({ 'other.json': '{}' }, bench.clock.now()),
    writeZip({ 'access-control.json': '{"version":1}' }, bench.clock.now()),
  ])
    expect((await bench.upload('POST', `${to.own}/accessControl`, [['archive', wrong]])).status).toBe(400)
  expect(exposed()).toEqual(before)
})

describe('scenarios', () => {
  const mappingPath = `${to.own}/systemMappings/both:443`
  const scenario = (name: string, ids: readonly string[]): Buffer =>
    writeZip(
      { 'scenario.json': JSON.stringify({ version: 1, name, resources: ids.map((id) => ({ id, enabled: true, creationDateMs: 1 })) }) },
      bench.clock.now(),
    )
  const add = async (name: string, ids: readonly string[]) =>
    (await bench.upload('POST', `${mappingPath}/scenarios`, [['archive', scenario(name, ids)]])).status
  const paths = () => (exposed()[0] as readonly unknown[])[2]

  it('CC-078 go with the resources that came with them alone', async () => {
    expect(await add('Sales', ['/old', '/a', '/b'])).toBe(201)
    expect(await add('Stock', ['/b', '/c'])).toBe(201)
    expect((await bench.call('GET', `${mappingPath}/scenarios`)).json()).toEqual(['Sales', 'Stock'])
    expect(paths()).toEqual(['/old', '/a', '/b', '/c'])
    expect((await bench.call('DELETE', `${mappingPath}/scenarios/Sales`)).status).toBe(204)
    expect(paths()).toEqual(['/old', '/b', '/c'])
    expect((await bench.call('DELETE', `${mappingPath}/scenarios/Sales`)).status).toBe(404)
    expect((await bench.call('DELETE', `${mappingPath}/scenarios/Stock`)).status).toBe(204)
    expect(paths()).toEqual(['/old'])
  })

  it('are made of chosen resources of a mapping', async () => {
    await bench.call('POST', `${from.mappings}/one:443/resources`, { id: '/other' })
    const wanted = { name: 'Sales', resources: ['/new'] }
    const { bytes } = await bench.call('POST', `${from.own}/systemMappings/one:443/scenarios/export`, wanted)
    expect(JSON.parse(readZip(bytes).get('scenario.json')?.toString() ?? '')).toMatchObject({ name: 'Sales', resources: [{ id: '/new' }] })
    expect((await bench.upload('POST', `${mappingPath}/scenarios`, [['archive', bytes]])).status).toBe(201)
    expect(paths()).toEqual(['/old', '/new'])
  })
})
