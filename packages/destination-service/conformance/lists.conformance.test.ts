import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestCa } from '@sallyport/test-fixtures'
import { type RunningService, startService } from './running-service.ts'

let running: RunningService
beforeEach(async () => {
  running = await startService({ strictNames: false })
})
afterEach(() => running.close())

const collection = '/v1/subaccountDestinations'
const http = (Name: string) => ({ Name, Type: 'HTTP', URL: 'http://x' })

async function store(...names: string[]): Promise<void> {
  expect((await running.call('POST', collection, { body: names.map(http) })).status).toBe(201)
}

async function list(
  query: Readonly<Record<string, string>>,
): Promise<{ status: number; names: string[]; headers: Headers; json: unknown }> {
  const { status, headers, json } = await running.call('GET', `${collection}?${new URLSearchParams(query)}`)
  return { status, headers, json, names: Array.isArray(json) ? (json as { Name: string }[]).map((item) => item.Name) : [] }
}

describe('all of a level', () => {
  it('CL-094 answers arrays of flat objects for both levels, empty ones too', async () => {
    for (const path of [collection, '/v1/instanceDestinations']) {
      expect(await running.call('GET', path)).toMatchObject({ status: 200, text: '[]' })
    }
    await running.call('POST', '/v1/instanceDestinations', { body: { ...http('i'), Port: 8080, On: true } })
    await store('s')
    expect((await running.call('GET', '/v1/instanceDestinations')).json).toEqual([{ ...http('i'), Port: '8080', On: 'true' }])
    expect((await running.call('GET', collection)).json).toEqual([http('s')])
  })

  it('comes in order of names, whatever the number', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `d${String(index).padStart(3, '0')}`)
    await store(...names.toReversed())
    expect((await list({})).names).toEqual(names)
  })

  it('leaves out what is deleted while the list is written', async () => {
    await running.close()
    running = await startService({
      wrapRepository: (repository) => ({
        ...repository,
        async index(kind, level) {
          const entries = await repository.index(kind, level)
          await repository.remove(kind, level, ['b', 'c'])
          return entries
        },
      }),
    })
    await store('a', 'b', 'c')
    expect((await running.call('GET', collection)).json).toEqual([http('a')])
  })
})

describe('filters', () => {
  it('DS-034 return exactly the named ones that exist', async () => {
    await store('a', 'b', 'c')
    expect((await list({ $filter: "Name in ('a', 'c', 'x')" })).names).toEqual(['a', 'c'])
    expect((await list({ $filter: "Name in('b')" })).names).toEqual(['b'])
    expect((await list({ $filter: "Name in ('x')" })).names).toEqual([])
  })

  it('DS-035 match names with quotes, "@" and blanks that are percent-encoded inside the quotes', async () => {
    await store("our-team's-app", 'a@b', 'with blank', 'plain')
    const names = ["our-team's-app", 'a@b', 'with blank'].map((name) => `'${encodeURIComponent(name).replaceAll("'", '%27')}'`)
    expect((await list({ $filter: `Name in (${names.join(', ')})` })).names).toEqual(['a@b', "our-team's-app", 'with blank'])
    const removed = await running.call('DELETE', `${collection}?${new URLSearchParams({ $filter: `Name in (${names.join(',')})` })}`)
    expect(removed.json).toMatchObject({ Count: 3 })
  })

  it('DS-036 match by start and end, in which a doubled quote is one', async () => {
    await store('abc', 'abd', "it's", 'ABC', 'a%c', 'x_c')
    expect((await list({ $filter: "startswith(Name, 'ab')" })).names).toEqual(['abc', 'abd'])
    expect((await list({ $filter: "endswith(Name,'c')" })).names).toEqual(['a%c', 'abc', 'x_c'])
    expect((await list({ $filter: "startswith(Name,'it''s')" })).names).toEqual(["it's"])
    expect((await list({ $filter: "startswith(Name,'%')" })).names).toEqual([])
    expect((await list({ $filter: "endswith(Name,'_c')" })).names).toEqual(['x_c'])
  })

  it('CL-114 match by start as the application router writes it, unencoded', async () => {
    await store('html5-a', 'html5-b', 'other')
    const { json } = await running.call('GET', `${collection}?$filter=startswith(Name,'html5-')`)
    expect(json).toEqual([http('html5-a'), http('html5-b')])
  })

  it('DS-038 know names and labels only for certificates, labels only for fragments', async () => {
    const content = Buffer.from(createTestCa().certificate).toString('base64')
    const body = ['a.pem', 'b.pem'].map((Name) => ({ Name, Type: 'CERTIFICATE', Content: content }))
    expect((await running.call('POST', '/v1/subaccountCertificates', { body })).status).toBe(201)
    const ask = ($filter: string, path = 'Certificates'): ReturnType<RunningService['call']> =>
      running.call('GET', `/v1/subaccount${path}?${new URLSearchParams({ $filter })}`)
    expect((await ask("Name in ('b.pem')")).json).toEqual([body[1]])
    for (const filter of ["startswith(Name,'a')", "endswith(Name,'.pem')", "modifiedwithin('10','minutes')"]) {
      for (const path of ['Certificates', 'DestinationFragments']) {
        const { status, json } = await ask(filter, path)
        expect({ status, json }).toEqual({ status: 400, json: { ErrorMessage: expect.stringMatching(/^\$filter must be /) as string } })
      }
    }
    expect((await ask("Name in ('a')", 'DestinationFragments')).status).toBe(400)
  })

  it('DS-037 match what was created or updated within so many minutes, 1 to 1440', async () => {
    await store('old', 'updated')
    running.clock.advance(30 * 60_000)
    await running.call('PUT', collection, { body: { ...http('updated'), URL: 'http://y' } })
    await store('new')
    expect((await list({ $filter: "modifiedwithin('10','minutes')" })).names).toEqual(['new', 'updated'])
    expect((await list({ $filter: "modifiedwithin('1440', 'minutes')" })).names).toEqual(['new', 'old', 'updated'])
    running.clock.advance(11 * 60_000)
    expect((await list({ $filter: "modifiedwithin('10','minutes')" })).names).toEqual([])
    for (const minutes of ['0', '1441', '-1', '1.5', 'x', '']) {
      expect((await list({ $filter: `modifiedwithin('${minutes}','minutes')` })).status).toBe(400)
    }
  })

  it.each([
    '',
    'Name',
    "Name eq 'a'",
    'Name in (a)',
    "Name in ('a'",
    "Name in ('a' 'b')",
    "Name in ('%zz')",
    "name in ('a')",
    "startswith(Name, 'a'b')",
    "startswith(URL, 'http')",
    "modifiedwithin('10','hours')",
    "Label['env'] HAS 'prod'",
    "Label[env] HAS ('prod')",
    "Label['%zz'] HAS ('prod')",
    "Label['env'] HAS ('prod') OR Label['env'] HAS ('eu')",
    "Label['env'] HAS ('prod') AND",
    "startswith(Name, 'a') endswith(Name, 'b')",
  ])('refuses %s', async ($filter) => {
    const { status, json } = await list({ $filter })
    expect(status).toBe(400)
    expect(json).toEqual({ ErrorMessage: expect.any(String) as string })
  })
})

describe('selecting and metadata', () => {
  it('DS-039 returns names only, and selects nothing else', async () => {
    await store('a', 'b')
    expect((await list({ $select: 'Name' })).json).toEqual([{ Name: 'a' }, { Name: 'b' }])
    for (const $select of ['URL', 'Name,URL', '', 'name']) expect((await list({ $select })).status).toBe(400)
  })

  it('DS-045 adds time and ETag to each destination, the same ETag as that of the single one', async () => {
    await store('a')
    const { json } = await list({ $includeMetadata: 'modification_time;etag' })
    const etag = (await running.call('GET', `${collection}/a`)).headers.get('etag')
    expect(json).toEqual([{ ...http('a'), $metadata: { modification_time: String(running.clock.now()), etag } }])
    expect((await list({ $includeMetadata: 'etag' })).json).toEqual([{ ...http('a'), $metadata: { etag } }])
    expect((await list({ $includeMetadata: 'password' })).status).toBe(400)
  })
})

describe('pages', () => {
  beforeEach(() => store(...Array.from({ length: 25 }, (_, index) => `d${String(index).padStart(2, '0')}`)))

  it('DS-040 have ten entries unless told', async () => {
    expect((await list({ $page: '1' })).names).toEqual(['d00', 'd01', 'd02', 'd03', 'd04', 'd05', 'd06', 'd07', 'd08', 'd09'])
    expect((await list({ $page: '3' })).names).toEqual(['d20', 'd21', 'd22', 'd23', 'd24'])
    expect((await list({ $page: '2', $pageSize: '3' })).names).toEqual(['d03', 'd04', 'd05'])
    expect((await list({ $pageSize: '1000' })).names).toHaveLength(25)
    expect((await list({ $page: '4' })).json).toEqual([])
  })

  it('DS-041 are refused with numbers out of range', async () => {
    for (const query of [
      { $page: '0' },
      { $pageSize: '0' },
      { $pageSize: '1001' },
      { $page: '-1' },
      { $page: '1e3' },
      { $page: '' },
      { $page: '9'.repeat(30) },
    ]) {
      expect((await list(query as unknown as Record<string, string>)).status).toBe(400)
    }
  })

  it('DS-042 count pages and entities only when asked', async () => {
    const plain = await list({ $page: '1' })
    expect([plain.headers.get('page-count'), plain.headers.get('entity-count')]).toEqual([null, null])
    const counted = await list({ $page: '1', $pageCount: 'true', $entityCount: 'true' })
    expect([counted.headers.get('page-count'), counted.headers.get('entity-count')]).toEqual(['3', '25'])
    const one = await list({ $page: '1', $pageSize: '5', $pageCount: 'true', $entityCount: 'false' })
    expect([one.headers.get('page-count'), one.headers.get('entity-count')]).toEqual(['5', null])
    expect((await list({ $pageCount: 'maybe' })).status).toBe(400)
  })

  it('DS-043 link to their neighbours', async () => {
    const link = async (page: string): Promise<string | null> => (await list({ $page: page, $pageSize: '10' })).headers.get('link')
    expect(await link('1')).toBe("</subaccountDestinations?$page=2&$pageSize=10>; rel='next'")
    expect(await link('2')).toBe(
      "</subaccountDestinations?$page=1&$pageSize=10>; rel='previous', </subaccountDestinations?$page=3&$pageSize=10>; rel='next'",
    )
    expect(await link('3')).toBe("</subaccountDestinations?$page=2&$pageSize=10>; rel='previous'")
    expect(await link('9')).toBe("</subaccountDestinations?$page=3&$pageSize=10>; rel='previous'")
    expect((await list({ $page: '1', $pageSize: '25' })).headers.get('link')).toBeNull()
  })

  it('DS-044 do not go together with filters, selections or metadata', async () => {
    for (const query of [
      { $page: '1', $filter: "Name in ('a')" },
      { $pageSize: '5', $select: 'Name' },
      { $entityCount: 'true', $includeMetadata: 'etag' },
      { $select: 'Name', $filter: "Name in ('a')" },
    ]) {
      expect((await list(query as unknown as Record<string, string>)).status).toBe(400)
    }
    expect((await running.call('GET', `${collection}?$page=1&$page=2`)).status).toBe(400)
  })
})
