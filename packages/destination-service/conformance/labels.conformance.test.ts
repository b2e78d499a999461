import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestCa } from '@sallyport/test-fixtures'
import { type Answered, type RunningService, startService } from './running-service.ts'

let running: RunningService
beforeEach(async () => {
  running = await startService({ strictNames: false })
})
afterEach(() => running.close())

/** One entity of each kind, on each level. */
const kinds = [
  ['a destination', 'Destinations', 'd', { Name: 'd', Type: 'HTTP', URL: 'http://x' }],
  ['a fragment', 'DestinationFragments', 'f', { FragmentName: 'f', URL: 'http://x' }],
  [
    'a certificate',
    'Certificates',
    'c.pem',
    { Name: 'c.pem', Type: 'CERTIFICATE', Content: Buffer.from(createTestCa().certificate).toString('base64') },
  ],
] as const

const env = { key: 'env', values: ['prod', 'eu'] }
const many = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`)

async function store(kind: (typeof kinds)[number], level: 'subaccount' | 'instance' = 'subaccount'): Promise<string> {
  const [, path, name, properties] = kind
  const levelIds = {
    subaccountId: '11111111-2222-3333-4444-555555555555',
    instanceId: level === 'subaccount' ? null : 'aaaaaaaa-0000-0000-0000-000000000001',
  }
  const stored = { name, properties: properties as unknown as Record<string, string>, sharedWithSubscriber: false }
  const entityKind = path === 'Destinations' ? 'destination' : path === 'Certificates' ? 'certificate' : 'fragment'
  await running.repository.create(entityKind, levelIds, [stored], { nowMs: 1, maxPerSubaccount: 100 })
  return `/v1/${level}${path}/${name}`
}

describe.each(kinds.map((kind) => [kind[0], kind] as const))('labels of %s', (_what, kind) => {
  const labelsOf = async (path: string): Promise<unknown> => {
    const answer = await running.call('GET', `${path}/labels`)
    expect(answer.status).toBe(200)
    return answer.json
  }
  const put = (path: string, body: unknown): Promise<Answered> => running.call('PUT', `${path}/labels`, { body })
  const patch = (path: string, action: unknown, labels: unknown): Promise<Answered> =>
    running.call('PATCH', `${path}/labels`, { body: { action, labels } })

  it('DS-131 are read, replaced, added to and taken away, ten with ten values each at most, and leave the entity alone', async () => {
    const path = await store(kind)
    const before = await running.call('GET', path)
    expect(await labelsOf(path)).toEqual([])
    expect(await put(path, [env, { key: 'team', values: ['a'] }])).toMatchObject({ status: 200, json: { Count: 1 } })
    expect(await put(path, [env])).toMatchObject({ status: 200 })
    expect(await labelsOf(path)).toEqual([env])
    expect(
      await patch(path, 'ADD', [
        { key: 'env', values: ['prod', 'us'] },
        { key: 'team', values: ['a', 'b'] },
      ]),
    ).toMatchObject({
      status: 200,
      json: { Count: 1 },
    })
    expect(await labelsOf(path)).toEqual([
      { key: 'env', values: ['prod', 'eu', 'us'] },
      { key: 'team', values: ['a', 'b'] },
    ])
    expect(
      await patch(path, 'DELETE', [
        { key: 'env', values: ['eu', 'unknown'] },
        { key: 'team', values: [] },
        { key: 'nobody', values: ['x'] },
      ]),
    ).toMatchObject({
      status: 200,
    })
    expect(await labelsOf(path)).toEqual([{ key: 'env', values: ['prod', 'us'] }])

    const ten = many(10, 'k').map((key) => ({ key, values: many(10, 'v') }))
    expect((await put(path, ten)).status).toBe(200)
    const tooMany = [
      await put(path, [...ten, { key: 'k10', values: [] }]),
      await put(path, [{ key: 'k', values: many(11, 'v') }]),
      await patch(path, 'ADD', [{ key: 'k10', values: ['x'] }]),
      await patch(path, 'ADD', [{ key: 'k0', values: ['v10'] }]),
    ]
    for (const answer of tooMany) expect(answer).toMatchObject({ status: 400, json: { ErrorMessage: expect.any(String) as string } })
    expect(await labelsOf(path)).toEqual(ten)

    const after = await running.call('GET', path)
    expect(after.json).toEqual(before.json)
    expect(after.headers.get('etag')).toBe(before.headers.get('etag'))
  })

  it('are refused when they are none, with a sentence', async () => {
    const path = await store(kind)
    await put(path, [env])
    for (const body of [
      {},
      null,
      'x',
      [{ key: '', values: [] }],
      [{ key: 'k' }],
      [{ values: ['x'] }],
      [{ key: 'k', values: 'v' }],
      [{ key: 'k', values: [1] }],
      [{ key: 'k', values: [''] }],
      [{ key: 'k\n', values: [] }],
      [{ key: 'k'.repeat(101), values: [] }],
      [{ key: 'k', values: [], more: 1 }],
    ]) {
      expect(await put(path, body)).toMatchObject({ status: 400, json: { ErrorMessage: expect.any(String) as string } })
    }
    expect((await put(path, '[')).status).toBe(400)
    for (const action of ['add', 'REPLACE', '', null, undefined]) expect((await patch(path, action, [env])).status).toBe(400)
    expect((await patch(path, 'ADD', undefined)).status).toBe(400)
    expect(await labelsOf(path)).toEqual([env])
  })

  it('belong to an entity that exists, on its own level', async () => {
    const path = await store(kind)
    const other = path.replace('subaccount', 'instance')
    expect((await running.call('GET', `${other}/labels`)).status).toBe(404)
    expect((await put(other, [env])).status).toBe(404)
    expect((await patch(other, 'ADD', [env])).status).toBe(404)
    await store(kind, 'instance')
    expect((await put(other, [env])).status).toBe(200)
    expect(await labelsOf(path)).toEqual([])
  })

  it('stay when the entity is replaced, and go when it is deleted', async () => {
    const path = await store(kind)
    await put(path, [env])
    const collection = path.slice(0, path.lastIndexOf('/'))
    expect((await running.call('PUT', collection, { body: kind[3] })).status).toBe(200)
    expect(await labelsOf(path)).toEqual([env])
    expect((await running.call('DELETE', path)).json).toEqual({ Count: 1 })
    await store(kind)
    expect(await labelsOf(path)).toEqual([])
  })

  it('DS-132 filter lists: one of the values must be there, and clauses joined by AND must all hold', async () => {
    const [, collection, , properties] = kind
    const nameProperty = 'FragmentName' in properties ? 'FragmentName' : 'Name'
    const path = `/v1/subaccount${collection}`
    const labelled: Record<string, readonly unknown[]> = {
      both: [env, { key: 'team', values: ['a'] }],
      'only env': [{ key: 'env', values: ['prod'] }],
      "it's": [{ key: "it's", values: ['100 %', 'a,b'] }],
      none: [],
    }
    const kindName = collection === 'Destinations' ? 'destination' : collection === 'Certificates' ? 'certificate' : 'fragment'
    const level = { subaccountId: '11111111-2222-3333-4444-555555555555', instanceId: null }
    for (const [name, labels] of Object.entries(labelled)) {
      await running.repository.create(
        kindName,
        level,
        [{ name, properties: { ...properties, [nameProperty]: name }, sharedWithSubscriber: false }],
        { nowMs: 1, maxPerSubaccount: 100 },
      )
      expect((await put(`${path}/${encodeURIComponent(name)}`, labels)).status).toBe(200)
    }
    const list = async ($filter: string): Promise<unknown> => {
      const { json, status } = await running.call('GET', `${path}?${new URLSearchParams({ $filter })}`)
      return status === 200 ? (json as Record<string, string>[]).map((item) => item[nameProperty]).toSorted() : status
    }
    expect(await list("Label['env'] HAS ('prod')")).toEqual(['both', 'only env'])
    expect(await list("Label['env'] HAS ('eu')")).toEqual(['both'])
    expect(await list("Label['env'] HAS ('eu','prod')")).toEqual(['both', 'only env'])
    expect(await list("Label['env'] HAS ('prod') AND Label['team'] HAS ('a')")).toEqual(['both'])
    expect(await list("Label['env'] HAS ('prod') AND Label['team'] HAS ('b')")).toEqual([])
    expect(await list("Label['Env'] HAS ('prod')")).toEqual([])
    expect(await list("Label['it%27s'] HAS ('100%20%25')")).toEqual(["it's"])
    expect(await list("Label['it%27s'] HAS ('x', 'a%2Cb')")).toEqual(["it's"])
    expect(await list("Label['env'] HAS ()")).toBe(400)
  })

  it('come with a list when they are asked for', async () => {
    const path = await store(kind)
    await put(path, [env])
    const collection = path.slice(0, path.lastIndexOf('/'))
    expect((await running.call('GET', `${collection}?$includeMetadata=labels`)).json).toEqual([
      { ...kind[3], $metadata: { labels: [env] } },
    ])
    expect((await running.call('GET', collection)).json).toEqual([kind[3]])
  })
})

describe('labels in a look-up', () => {
  it('come when they are asked for, in both versions', async () => {
    const path = await store(kinds[0])
    await running.call('PUT', `${path}/labels`, { body: [env] })
    for (const find of ['/v1/destinations/d', '/v2/destinations/d@subaccount']) {
      expect((await running.call('GET', `${find}?$includeMetadata=labels`)).json).toMatchObject({
        destinationConfiguration: { Name: 'd', $metadata: { labels: [env] } },
      })
      expect((await running.call('GET', find)).text).not.toContain('prod')
    }
    expect((await running.call('GET', '/v1/destinations/d?$includeMetadata=owner')).status).toBe(400)
  })
})
