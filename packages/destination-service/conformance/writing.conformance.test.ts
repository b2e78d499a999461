import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AuditEntry, AuditSink } from '@sallyport/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningService, startService } from './running-service.ts'

let running: RunningService
beforeEach(async () => {
  running = await startService()
})
afterEach(() => running.close())

const collection = '/v1/subaccountDestinations'
const http = (Name: string, URL = 'http://x', extra: Record<string, unknown> = {}) => ({ Name, Type: 'HTTP', URL, ...extra })
const notFoundBody = '{"ErrorMessage":"Configuration with the specified name was not found"}'

async function stored(name: string): Promise<unknown> {
  return (await running.call('GET', `${collection}/${name}`)).json
}

describe('a single write', () => {
  it('DS-019 creates with 201 and an empty body', async () => {
    const answer = await running.call('POST', collection, { body: http('d') })
    expect(answer).toMatchObject({ status: 201, text: '' })
    expect(await stored('d')).toEqual(http('d'))
  })

  it('DS-020 refuses a name that exists with 409 and leaves what is stored as it was', async () => {
    await running.call('POST', collection, { body: http('d', 'http://first') })
    const answer = await running.call('POST', collection, { body: http('d', 'http://second') })
    expect(answer).toMatchObject({ status: 409, json: { ErrorMessage: 'Configuration with the specified name already exists' } })
    expect(await stored('d')).toEqual(http('d', 'http://first'))
  })

  it('DS-021 replaces as a whole with 200 and a count', async () => {
    await running.call('POST', collection, { body: http('d', 'http://x', { User: 'u', Password: 'p' }) })
    const answer = await running.call('PUT', collection, { body: http('d', 'http://y', { User: 'v' }) })
    expect(answer).toMatchObject({ status: 200, text: '{"Count":1}' })
    expect(await stored('d')).toEqual(http('d', 'http://y', { User: 'v' }))
  })

  it('DS-022 does not replace what does not exist', async () => {
    expect(await running.call('PUT', collection, { body: http('d') })).toMatchObject({ status: 404, text: notFoundBody })
    expect((await running.call('GET', `${collection}/d`)).status).toBe(404)
  })

  it('DS-023 deletes by name with 200 and a count, and then there is none', async () => {
    await running.call('POST', collection, { body: http('d') })
    expect(await running.call('DELETE', `${collection}/d`)).toMatchObject({ status: 200, text: '{"Count":1}' })
    expect((await running.call('GET', `${collection}/d`)).status).toBe(404)
    expect(await running.call('DELETE', `${collection}/d`)).toMatchObject({ status: 404, text: notFoundBody })
  })

  it('DS-030 CL-110 says with exactly one text that there is no such destination', async () => {
    for (const path of [`${collection}/d`, '/v1/instanceDestinations/d', '/v1/destinations/d', '/v2/destinations/d@subaccount']) {
      expect(await running.call('GET', path)).toMatchObject({ status: 404, text: notFoundBody })
    }
  })

  it('ignores If-Match on writes, which the original does not document there', async () => {
    await running.call('POST', collection, { body: http('d') })
    const headers = { 'if-match': 'f'.repeat(64) }
    expect((await running.call('PUT', collection, { body: http('d', 'http://y'), headers })).status).toBe(200)
    expect((await running.call('DELETE', `${collection}/d`, { headers })).status).toBe(200)
  })
})

describe('what can be stored', () => {
  it('DS-009 DS-010 CL-106 CL-108 CL-113 keeps every property as a text, also unknown ones, and hands out secrets to who may have them', async () => {
    const free = {
      'URL.headers.apikey': 'k',
      'URL.queries.sap-client': '100',
      'HTML5.DynamicDestination': 'true',
      'sap-client': '001',
      'sap-language': 'EN',
      'some.free-Property ü': 'wörd\n\u0000"',
      constructor: 'own',
      toString: 'own',
      User: 'u',
      Password: 'p4ss',
      Empty: '',
    }
    await running.call('POST', collection, { body: http('d', 'http://x', { ...free, number: 1.5, big: 1e21, yes: true, no: false }) })
    const expected = { ...http('d'), ...free, number: '1.5', big: '1e+21', yes: 'true', no: 'false' }
    expect(await stored('d')).toEqual(expected)
    const found = (await running.call('GET', '/v1/destinations/d?$skipTokenRetrieval=true')).json
    expect(found).toMatchObject({ destinationConfiguration: expected })
    expect((await running.call('GET', collection)).json).toEqual([expected])
  })

  it('DS-011 accepts the five types and no other', async () => {
    for (const Type of ['HTTP', 'RFC', 'LDAP', 'MAIL', 'TCP']) {
      expect((await running.call('POST', collection, { body: { Name: Type, Type } })).status).toBe(201)
    }
    for (const Type of ['http', 'FTP', '', 'toString', 1, true]) {
      expect((await running.call('POST', collection, { body: { Name: 'other', Type } })).status).toBe(400)
    }
  })

  it('DS-012 refuses a destination without name or type', async () => {
    for (const body of [{ Type: 'HTTP' }, { Name: 'd' }, {}, { Name: '', Type: 'HTTP' }, { name: 'd', type: 'HTTP' }]) {
      expect(await running.call('POST', collection, { body })).toMatchObject({
        status: 400,
        json: { ErrorMessage: expect.any(String) as string },
      })
    }
  })

  it('DS-013 takes names of 200 characters, not of 201, and only letters, digits, "_" and "-"', async () => {
    expect((await running.call('POST', collection, { body: http('x'.repeat(200)) })).status).toBe(201)
    expect((await running.call('GET', `${collection}/${'x'.repeat(200)}`)).status).toBe(200)
    for (const name of ['x'.repeat(201), 'a b', 'a.b', 'ä', 'a/b', "a'b", 'a\n', '@']) {
      expect((await running.call('POST', collection, { body: http(name) })).status).toBe(400)
    }
  })

  it.each([
    ['null', http('d', 'http://x', { Bad: null })],
    ['an array', http('d', 'http://x', { Bad: [] })],
    ['an object', http('d', 'http://x', { Bad: {} })],
    ['a value that is too long', http('d', 'http://x', { Long: 'x'.repeat(102_401) })],
    ['a name of a property that is too long', http('d', 'http://x', { ['k'.repeat(1_025)]: 'x' })],
    ['a property without name', http('d', 'http://x', { '': 'x' })],
    ['half a character', '{"Name":"d","Type":"HTTP","Bad":"\\ud800"}'],
    ['a property that would change the object itself', '{"Name":"d","Type":"HTTP","__proto__":"x"}'],
    ['metadata that is none', http('d', 'http://x', { $metadata: 'x' })],
    ['a flag that is none', http('d', 'http://x', { $metadata: { shared_with_subscriber: 'maybe' } })],
    ['text', '"text"'],
    ['null instead of a destination', 'null'],
    ['broken JSON', '{"Name":"d"'],
    ['no JSON', 'Name=d'],
    ['two documents', '{}{}'],
    ['an empty body', ''],
  ])('refuses %s', async (_what, body) => {
    const answer = await running.call('POST', collection, { body })
    expect(answer).toMatchObject({ status: 400, json: { ErrorMessage: expect.any(String) as string } })
    expect((await running.call('GET', collection)).json).toEqual([])
  })

  it('refuses bytes that are not UTF-8', async () => {
    const body = Buffer.concat([Buffer.from('{"Name":"d","Type":"HTTP","A":"'), Buffer.from([0xff]), Buffer.from('"}')])
    const headers = { authorization: `Bearer ${running.token()}`, 'content-type': 'application/json' }
    expect((await fetch(`${running.url}/destination-configuration${collection}`, { method: 'POST', headers, body })).status).toBe(400)
  })

  it.each(['PrincipalPropagation', 'OAuth2TechnicalUserPropagation'])('takes %s with an on-premise target only', async (Authentication) => {
    expect(
      (await running.call('POST', collection, { body: http('d', 'http://x', { Authentication, ProxyType: 'Internet' }) })).status,
    ).toBe(400)
    expect((await running.call('POST', collection, { body: http('d', 'http://x', { Authentication }) })).status).toBe(400)
    expect(
      (await running.call('POST', collection, { body: http('d', 'http://x', { Authentication, ProxyType: 'OnPremise' }) })).status,
    ).toBe(201)
  })

  it('takes back what a list with metadata has returned', async () => {
    await running.call('POST', collection, { body: http('d') })
    const { json } = await running.call('GET', `${collection}?$includeMetadata=modification_time;etag`)
    expect((await running.call('PUT', collection, { body: json })).status).toBe(200)
    expect(await stored('d')).toEqual(http('d'))
  })

  it('refuses the destination that is one too many for the subaccount, whichever level it is for', async () => {
    await running.close()
    running = await startService({ perSubaccount: 3 })
    await running.call('POST', collection, { body: [http('a'), http('b')] })
    await running.call('POST', '/v1/instanceDestinations', { body: http('a') })
    for (const path of [collection, '/v1/instanceDestinations']) {
      expect(await running.call('POST', path, { body: http('c') })).toMatchObject({
        status: 400,
        json: { ErrorMessage: expect.stringContaining('3 destinations') as string },
      })
    }
    expect((await running.call('POST', collection, { body: http('a') })).status).toBe(409)
    expect((await running.call('PUT', collection, { body: http('a', 'http://y') })).status).toBe(200)
    expect(
      (await running.call('POST', '/v1/instanceDestinations', { body: http('a'), token: running.token({ subaccount: 'sub' }) })).status,
    ).toBe(201)
    await running.call('DELETE', `${collection}/b`)
    expect((await running.call('POST', collection, { body: http('c') })).status).toBe(201)
  })

  it('refuses the 1,001st destination unless told otherwise', async () => {
    const all = Array.from({ length: 1_000 }, (_, index) => http(`d${index}`))
    expect((await running.call('POST', collection, { body: all })).status).toBe(201)
    expect((await running.call('POST', collection, { body: http('one-too-many') })).status).toBe(400)
    expect((await running.call('GET', collection)).json).toHaveLength(1_000)
  })

  it('DS-138 keeps nothing of a property readable in its files', async () => {
    const secret = 'Ganz-Geheim-0815'
    await running.call('POST', collection, {
      body: http('readable-name', `http://${secret}.example`, { [`key-${secret}`]: 'x', Password: secret }),
    })
    await running.call('PUT', collection, { body: http('readable-name', `http://${secret}.example`, { Password: `${secret}2` }) })
    const folder = dirname(running.file)
    const bytes = Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file))))
    expect(bytes.includes('readable-name')).toBe(true)
    expect(bytes.includes(secret)).toBe(false)
    expect(bytes.includes(Buffer.from(secret).toString('base64').slice(0, 16))).toBe(false)
  })
})

describe('a bulk write', () => {
  it('DS-024 DS-049 creates with 201 and the ETag of each', async () => {
    const { status, json } = await running.call('POST', collection, { body: [http('a'), http('b')] })
    expect(status).toBe(201)
    const etag = expect.stringMatching(/^[0-9a-f]{64}$/) as string
    expect(json).toEqual([
      { name: 'a', status: 201, etag },
      { name: 'b', status: 201, etag },
    ])
    for (const item of json as { name: string; etag: string }[]) {
      expect((await running.call('GET', `${collection}/${item.name}`)).headers.get('etag')).toBe(item.etag)
    }
  })

  it('DS-025 answers 207 when one item fails, keeps the others, and says why', async () => {
    await running.call('POST', collection, { body: http('dup', 'http://first') })
    const body = [http('n1'), http('dup', 'http://second'), { Name: 'bad', Type: 'FTP' }, http('n1', 'http://twice'), 7]
    const { status, json } = await running.call('POST', collection, { body })
    expect(status).toBe(207)
    expect(json).toEqual([
      { name: 'n1', status: 201, etag: expect.any(String) as string },
      { name: 'dup', status: 409, cause: 'Configuration already exists' },
      { name: 'bad', status: 400, cause: expect.stringContaining('Type') as string },
      { name: 'n1', status: 409, cause: 'Configuration already exists' },
      { name: '', status: 400, cause: expect.any(String) as string },
    ])
    expect(await stored('n1')).toEqual(http('n1'))
    expect(await stored('dup')).toEqual(http('dup', 'http://first'))
  })

  it('DS-026 replaces with 200 when all are known and with 207 when one is not', async () => {
    await running.call('POST', collection, { body: [http('a'), http('b')] })
    const known = await running.call('PUT', collection, { body: [http('a', 'http://a2'), http('b', 'http://b2')] })
    expect(known).toMatchObject({
      status: 200,
      json: [
        { name: 'a', status: 200 },
        { name: 'b', status: 200 },
      ],
    })
    const unknown = await running.call('PUT', collection, { body: [http('a', 'http://a3'), http('c')] })
    expect(unknown).toMatchObject({
      status: 207,
      json: [
        { name: 'a', status: 200 },
        { name: 'c', status: 404, cause: 'Could not find configuration' },
      ],
    })
    expect(await stored('a')).toEqual(http('a', 'http://a3'))
    expect((await running.call('GET', `${collection}/c`)).status).toBe(404)
  })

  it('takes an empty array and refuses more items than a subaccount can have', async () => {
    expect(await running.call('POST', collection, { body: [] })).toMatchObject({ status: 201, json: [] })
    expect((await running.call('POST', collection, { body: Array.from({ length: 1_001 }, () => 1) })).status).toBe(400)
  })

  it('DS-027 deletes with 200 and says of each name what became of it', async () => {
    await running.call('POST', collection, { body: [http('a'), http('b'), http('c')] })
    const answer = await running.call('DELETE', `${collection}?$filter=${encodeURIComponent("Name in ('a', 'x', 'b', 'a')")}`)
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({
      Count: 2,
      Summary: [
        { name: 'a', status: 'DELETED' },
        { name: 'x', status: 'NOT_FOUND', reason: 'Could not find configuration' },
        { name: 'b', status: 'DELETED' },
      ],
    })
    expect((await running.call('GET', `${collection}?$select=Name`)).json).toEqual([{ Name: 'c' }])
  })

  it('DS-028 deletes nothing without a filter, and nothing by another filter than names', async () => {
    await running.call('POST', collection, { body: http('a') })
    const filters = ["startswith(Name, 'a')", "endswith(Name, 'a')", "modifiedwithin('10', 'minutes')", 'Name in ()', "Name eq 'a'", '']
    for (const query of ['', ...filters.map((filter) => `?$filter=${encodeURIComponent(filter)}`)]) {
      expect((await running.call('DELETE', collection + query)).status).toBe(400)
    }
    expect((await running.call('GET', collection)).json).toHaveLength(1)
  })
})

describe('assertion providers', () => {
  beforeEach(async () => {
    const user = http('example-dest', 'http://x', { 'clientAssertion.destinationName': 'provider-dest' })
    await running.call('POST', collection, { body: [http('provider-dest'), http('free'), user] })
  })

  it('DS-031 cannot be deleted while another destination uses them', async () => {
    expect(await running.call('DELETE', `${collection}/provider-dest`)).toMatchObject({
      status: 400,
      json: {
        ErrorMessage:
          "Cannot perform operation on the destination 'provider-dest' because it is used as an assertion provider for destination 'example-dest'",
      },
    })
    const filter = encodeURIComponent("Name in ('provider-dest', 'free')")
    expect(await running.call('DELETE', `${collection}?$filter=${filter}`)).toMatchObject({
      status: 400,
      json: { ErrorMessage: 'Unable to remove Configurations "[provider-dest]".' },
    })
    expect((await running.call('GET', collection)).json).toHaveLength(3)
  })

  it('need not exist: a name that is not there is reported as such, whoever uses it', async () => {
    await running.call('POST', collection, { body: http('user', 'http://x', { 'clientAssertion.destinationName': 'gone' }) })
    const deleted = await running.call('DELETE', `${collection}?${new URLSearchParams({ $filter: "Name in ('gone')" })}`)
    expect(deleted).toMatchObject({ status: 200, json: { Count: 0, Summary: [{ name: 'gone', status: 'NOT_FOUND' }] } })
    expect((await running.call('DELETE', `${collection}/gone`)).status).toBe(404)
  })

  it('can be deleted together with the destination that uses them, and after it', async () => {
    const filter = encodeURIComponent("Name in ('provider-dest', 'example-dest')")
    expect((await running.call('DELETE', `${collection}?$filter=${filter}`)).json).toMatchObject({ Count: 2 })
    expect((await running.call('DELETE', `${collection}/free`)).status).toBe(200)
  })
})

describe('the audit', () => {
  it('receives every change that was made and none that was not; while it fails nothing changes', async () => {
    await running.close()
    const entries: AuditEntry[] = []
    let failing = false
    const audit: AuditSink = {
      get failing() {
        return failing
      },
      write: (entry) => entries.push(entry),
      flushed: () => Promise.resolve(),
    }
    running = await startService({ audit })
    await running.call('POST', collection, { body: [http('a', 'http://x', { Password: 'p4ss' }), { Name: 'bad' }] })
    await running.call('PUT', collection, { body: http('unknown') })
    await running.call('DELETE', `${collection}/a`)
    expect(entries.map((entry) => entry.message)).toEqual(['destination a created', 'destination a deleted'])
    expect(JSON.stringify(entries)).not.toContain('p4ss')
    failing = true
    expect(await running.call('POST', collection, { body: http('a') })).toMatchObject({ status: 503 })
    expect(await running.call('DELETE', `${collection}/a`)).toMatchObject({ status: 503 })
    expect((await running.call('GET', collection)).json).toEqual([])
  })
})
