import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, type RunningService, startService } from '../conformance/running-service.ts'

const secret = 'Kaennchen-Tee-4711'
const collections = ['Destinations', 'DestinationFragments', 'Certificates'].flatMap((path) => [
  `/v1/subaccount${path}`,
  `/v1/instance${path}`,
])
let running: RunningService

beforeAll(async () => {
  running = await startService({ strictNames: false })
  const token = running.token({ subaccount: 'victim' })
  for (const level of ['subaccount', 'instance']) {
    const body = { Name: 'guarded', Type: 'HTTP', URL: 'http://x', Password: secret }
    await running.call('POST', `/v1/${level}Destinations`, { token, body })
    await running.call('POST', `/v1/${level}DestinationFragments`, { token, body: { FragmentName: 'guarded', Password: secret } })
    await running.call('PUT', `/v1/${level}Destinations/guarded/labels`, { token, body: [{ key: secret, values: [secret] }] })
  }
})
afterAll(() => running.close())

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ maxLength: 30 }),
  fc.constantFrom('', "'", "''", '%', '%27', '\\', '"', '@', '..', '__proto__', 'guarded', '\u0000', '\ud800', 'Name', 'k'.repeat(300)),
)
const collection = fc.constantFrom(...collections)

/** A request somebody makes up; all are sent as another tenant than the one with the secret. */
interface Made {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Sends many at a time; returns what was wrong with the answers. */
async function faultsOf(requests: readonly Made[]): Promise<readonly unknown[]> {
  const faults: unknown[] = []
  const queue = requests.values()
  const work = async (): Promise<void> => {
    for (const { method, path, headers = {}, body } of queue) {
      const began = performance.now()
      const answer: Answered = await running.call(method, path, { headers, ...(body === undefined ? {} : { body }) })
      const explained = typeof (answer.json as { ErrorMessage?: unknown } | undefined)?.ErrorMessage === 'string'
      const wrong = [
        answer.status >= 500 ? `status ${answer.status}` : '',
        answer.text.includes(secret) || JSON.stringify([...answer.headers]).includes(secret) ? 'leak' : '',
        answer.status >= 400 && !explained ? 'unexplained' : '',
        performance.now() - began > 5_000 ? 'slow' : '',
      ].filter((fault) => fault !== '')
      if (wrong.length > 0) faults.push({ method, path, headers, body, wrong, answer: answer.text.slice(0, 200) })
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return faults
}

const query = (parameters: readonly (readonly [string, string])[]): string =>
  parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed())}`).join('&')

describe('several thousand requests that nobody should make', () => {
  it('with filters end in a list or a refusal', async () => {
    const quoted = text.map((inside) => `'${inside}'`)
    const list = fc.array(quoted, { maxLength: 4 }).map((items) => `(${items.join(',')})`)
    const clause = fc.oneof(
      list.map((items) => `Name in ${items}`),
      quoted.map((inside) => `startswith(Name,${inside})`),
      quoted.map((inside) => `endswith(Name,${inside})`),
      fc.oneof(fc.integer().map(String), text).map((minutes) => `modifiedwithin('${minutes}','minutes')`),
      fc.tuple(quoted, list).map(([key, values]) => `Label[${key}] HAS ${values}`),
      text,
    )
    const filter = fc.oneof(
      fc
        .array(clause, { minLength: 1, maxLength: 4 })
        .chain((clauses) => fc.constantFrom(' AND ', ' and ', 'AND', ' OR ', ' ').map((word) => clauses.join(word))),
      // What makes a careless expression take for ever.
      fc.constantFrom(
        `Name in (${"'',".repeat(300)}`,
        `startswith(Name, '${"''".repeat(600)}x`,
        `Label['${'a'.repeat(900)}`,
        `${' '.repeat(1_300)}x`,
        `Name in ('a')${' AND'.repeat(300)}`,
      ),
    )
    const made = fc
      .tuple(collection, filter, fc.constantFrom('GET', 'GET', 'DELETE'))
      .map(([path, $filter, method]) => ({ method, path: `${path}?${query([['$filter', $filter]])}` }))
    expect(await faultsOf(fc.sample(made, 1_200))).toEqual([])
  })

  it('with pages, selections and metadata end in a list or a refusal', async () => {
    const number = fc.oneof(
      fc.integer().map(String),
      fc.double().map(String),
      text,
      fc.constantFrom('1', '0', '1000', '1001', '1e9', '9'.repeat(400)),
    )
    const parameter = fc.tuple(
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom('$page', '$pageSize', '$pageCount', '$entityCount', '$select', '$includeMetadata') },
        { weight: 1, arbitrary: text.map((name) => name.toWellFormed()) },
      ),
      fc.oneof(number, fc.constantFrom('true', 'false', 'Name', 'FragmentName', 'etag', 'labels', 'modification_time;etag;labels', ';')),
    )
    const made = fc
      .tuple(collection, fc.array(parameter, { maxLength: 4 }))
      .map(([path, parameters]) => ({ method: 'GET', path: `${path}?${query(parameters)}` }))
    expect(await faultsOf(fc.sample(made, 1_000))).toEqual([])
  })

  it('with bodies end in an outcome for each item or a refusal', async () => {
    const value = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) })
    const entity = fc.record(
      {
        Name: fc.oneof(fc.constantFrom('a', 'b.pem', 'guarded'), value),
        FragmentName: fc.oneof(fc.constantFrom('a', 'guarded'), value),
        Type: fc.oneof(fc.constantFrom('HTTP', 'CERTIFICATE'), value),
        Content: value,
        Attributes: fc.jsonValue({ maxDepth: 2 }),
        $metadata: value,
        '$metadata.shared_with_subscriber': value,
        __proto__: value,
      },
      { requiredKeys: [] },
    )
    const body = fc.oneof(entity, fc.array(entity, { maxLength: 3 }), fc.jsonValue({ maxDepth: 3 }), text)
    const made = fc
      .tuple(collection, fc.constantFrom('POST', 'PUT'), body)
      .map(([path, method, sent]): Made => ({ method, path, body: sent ?? 'null' }))
    expect(await faultsOf(fc.sample(made, 1_000))).toEqual([])
  })

  it('with labels end in an outcome or a refusal, and ten labels with ten values stay the most', async () => {
    const paths = ['/v1/subaccountDestinations/labelled', '/v1/subaccountDestinationFragments/labelled']
    await running.call('POST', '/v1/subaccountDestinations', { body: { Name: 'labelled', Type: 'HTTP' } })
    await running.call('POST', '/v1/subaccountDestinationFragments', { body: { FragmentName: 'labelled' } })
    const label = fc.record({
      key: fc.oneof(text, fc.constantFrom('k', 'l')),
      values: fc.array(fc.oneof(text, fc.constantFrom('v', 'w')), { maxLength: 12 }),
    })
    const odd = fc.oneof(label, fc.jsonValue({ maxDepth: 2 }))
    const labels = fc.oneof(fc.array(label, { maxLength: 12 }), fc.array(odd, { maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }))
    const change = fc.record({ action: fc.oneof(fc.constantFrom('ADD', 'ADD', 'DELETE'), text), labels }, { requiredKeys: [] })
    const made = fc
      .tuple(
        fc.constantFrom(...paths, '/v1/instanceDestinations/none', `/v1/subaccountCertificates/${'x'.repeat(300)}`),
        fc.constantFrom('PUT', 'PATCH'),
        fc.oneof(change, labels),
      )
      .map(([path, method, sent]): Made => ({ method, path: `${path}/labels`, body: sent ?? 'null' }))
    expect(await faultsOf(fc.sample(made, 400))).toEqual([])
    for (const path of paths) {
      const kept = (await running.call('GET', `${path}/labels`)).json as { key: string; values: string[] }[]
      expect(kept.length).toBeLessThanOrEqual(10)
      expect(Math.max(0, ...kept.map(({ values }) => values.length))).toBeLessThanOrEqual(10)
      expect(kept.every(({ key, values }) => key !== '' && new Set(values).size === values.length)).toBe(true)
    }
  })

  it('with names, levels, fragments and conditions end in a destination or a refusal', async () => {
    await running.call('POST', '/v1/subaccountDestinations', { body: { Name: 'd', Type: 'HTTP' } })
    const name = fc.oneof(
      fc.constantFrom('d', 'guarded', 'd@subaccount', 'd@instance', 'd@provider_subaccount', 'd@', '@subaccount', 'd@@subaccount'),
      text,
    )
    const header = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,40}[\x21-\x7e])?$/)
    const headers = fc.record(
      {
        'x-fragment-name': fc.oneof(
          header,
          fc.constantFrom(
            'guarded',
            'guarded@provider_subaccount',
            ',',
            'a,,b',
            '@',
            ','.repeat(2_000),
            Array.from({ length: 3_000 }, () => 'f').join(','),
          ),
        ),
        'x-fragment-optional': fc.oneof(header, fc.constantFrom('true', 'false')),
        'if-match': fc.oneof(header, fc.constantFrom('*', '"a", W/"b"')),
        'if-none-match': fc.oneof(header, fc.constantFrom('*', ',')),
      },
      { requiredKeys: [] },
    )
    const made = fc
      .tuple(
        fc.constantFrom(
          '/v1/destinations/',
          '/v2/destinations/',
          '/v1/subaccountDestinations/',
          '/v1/instanceDestinationFragments/',
          '/v1/subaccountCertificates/',
        ),
        name,
        headers,
      )
      .map(([path, of, sent]): Made => ({
        method: 'GET',
        path: path + encodeURIComponent(of.toWellFormed()).replaceAll('.', '%2E'),
        headers: sent,
      }))
    expect(await faultsOf(fc.sample(made, 1_000))).toEqual([])
  })

  it('and nothing of it has come into the log', () => {
    const log = running.logged.join('\n')
    expect(log).not.toContain(secret)
    expect(log).not.toContain('"level":"error"')
  })
})
