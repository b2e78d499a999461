import { destinationRoles } from '@sallyport/admin-api'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { instanceId, type RunningService, startService } from '../conformance/running-service.ts'
import { createConnectionChecker } from '../src/index.ts'

const secret = 'Kaennchen-Tee-4711'
let running: RunningService

beforeAll(async () => {
  running = await startService({
    connections: createConnectionChecker({ privateAddresses: 'refuse', resolve: async () => [{ address: '127.0.0.1', family: 4 }] }),
    strictNames: false,
  })
  for (const level of ['subaccount', 'instance']) {
    const body = { Name: 'guarded', Type: 'HTTP', URL: 'http://x', Password: secret, Marker: secret }
    await running.call('POST', `/v1/${level}Destinations`, { token: running.token({ subaccount: 'victim' }), body })
    // Secrets of the own tenant are shown to nobody either.
    await running.call('POST', `/v1/${level}Destinations`, { body: { ...body, Marker: 'own' } })
  }
})
afterAll(() => running.close())

/** Whoever may do everything, whoever may do something, and who may do nothing. */
const tokens = (): readonly string[] => [
  running.token(),
  running.personToken({ roles: [...destinationRoles] }),
  running.personToken({ roles: ['Destination Viewer'] }),
  running.personToken({ subaccount: 'consumer', roles: [...destinationRoles] }),
]

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ maxLength: 30 }),
  fc.constantFrom('', 'guarded', 'a', '__proto__', 'constructor', '..', '%', "'", '\u0000', '\ud800', '\ufeff', 'x'.repeat(300)),
)
const value = fc.oneof({ weight: 3, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) })
const level = fc.constantFrom('/subaccount', `/instances/${instanceId}`, '/instances/none', '/instances/%00')
const kind = fc.constantFrom('destinations', 'fragments', 'certificates')
const collection = fc.tuple(level, kind).map(([of, what]) => `${of}/${what}`)
const named = fc.tuple(collection, text).map(([path, name]) => `${path}/${encodeURIComponent(name.toWellFormed()) || '%20'}`)

/** A request somebody makes up. */
interface Made {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends many at a time; returns what was wrong with the answers. One that never comes runs into the end of the test. */
async function faultsOf(requests: readonly Made[]): Promise<readonly unknown[]> {
  const faults: unknown[] = []
  const queue = requests.entries()
  const known = tokens()
  const work = async (): Promise<void> => {
    for (const [at, { method, path, body, headers = {} }] of queue) {
      const token = known[at % known.length] ?? ''
      const answer = await running.administer(method, path, { token, headers, ...(body === undefined ? {} : { body }) })
      const explained = typeof (answer.json as { ErrorMessage?: unknown } | undefined)?.ErrorMessage === 'string'
      const said = answer.text + JSON.stringify([...answer.headers]) + fileIn(answer.json)
      const wrong = [
        answer.status >= 500 ? `status ${answer.status}` : '',
        said.includes(secret) ? 'leak' : '',
        answer.status >= 400 && !explained ? 'unexplained' : '',
      ].filter((fault) => fault !== '')
      if (wrong.length > 0) faults.push({ method, path, body, headers, wrong, answer: answer.text.slice(0, 200) })
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return faults
}

/** What an export hands out. */
function fileIn(json: unknown): string {
  const content = (json as { readonly content?: unknown } | undefined)?.content
  return typeof content === 'string' ? Buffer.from(content, 'base64').toString('utf8') : ''
}

describe('several thousand requests to the administration that no editor would make', () => {
  it('with drafts end in an entity or a refusal', async () => {
    const properties = fc.oneof(
      fc.dictionary(fc.oneof(fc.constantFrom('Name', 'FragmentName', 'Type', 'URL', 'Password', 'Authentication'), text), value, {
        maxKeys: 5,
      }),
      fc.record({ Name: fc.constantFrom('a', 'guarded'), Type: fc.constant('HTTP'), URL: text, Password: value }),
      fc.jsonValue({ maxDepth: 2 }),
    )
    const draft = fc.oneof(
      fc.record(
        {
          properties,
          keepSecrets: fc.oneof(fc.array(fc.oneof(fc.constant('Password'), text), { maxLength: 3 }), fc.jsonValue()),
          secretsFrom: fc.oneof(fc.constant('guarded'), value),
          sharedWithSubscriber: fc.oneof(fc.boolean(), value),
        },
        { requiredKeys: ['properties'] },
      ),
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom('', '[]', '{', '['.repeat(50_000), '{"properties":'.repeat(20_000)),
    )
    const made = fc
      .tuple(fc.constantFrom('POST', 'PUT'), fc.oneof(collection, named), draft, text)
      .map(([method, path, body, match]): Made => ({
        method,
        path,
        body: body ?? 'null',
        headers: method === 'PUT' && /^[\x21-\x7e]+$/.test(match) ? { 'if-match': match } : {},
      }))
    expect(await faultsOf(fc.sample(made, 1_200))).toEqual([])
  })

  it('with files to import, and orders for exports, end in an account of each entry or a refusal', async () => {
    const line = fc.tuple(text, fc.constantFrom('=', ':', ' ', '\\', ''), text).map((parts) => parts.join(''))
    const file = fc.oneof(
      fc.array(line, { maxLength: 5 }).map((lines) => lines.join('\n')),
      fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json)),
      fc.array(fc.dictionary(text, value, { maxKeys: 4 }), { maxLength: 3 }).map((entries) => JSON.stringify(entries)),
      fc.array(fc.tuple(text, text), { maxLength: 4 }).map((pairs) => pairs.map(([name, said]) => `${name}: ${said}`).join('\n')),
      fc.constantFrom('Name=guarded\nType=HTTP', '[{"Name":"guarded","Type":"HTTP"}]', `- ${'- '.repeat(5_000)}`, '&a [*a, *a]', '\\u12'),
    )
    const order = fc.record(
      {
        fileName: fc.oneof(fc.constantFrom('a.json', 'a.yaml', 'a.yml', 'a.properties', 'a.props', 'a', '../a.json'), value),
        content: fc.oneof({ weight: 4, arbitrary: file.map((said) => Buffer.from(said).toString('base64')) }, value),
        existing: fc.oneof(fc.constantFrom('fail', 'ignore', 'update'), value),
        review: fc.oneof(fc.boolean(), value),
      },
      { requiredKeys: ['content'] },
    )
    const wanted = fc.record(
      {
        format: fc.oneof(fc.constantFrom('json', 'yaml', 'properties'), value),
        names: fc.oneof(fc.array(fc.oneof(fc.constant('guarded'), text), { maxLength: 3 }), value),
      },
      { requiredKeys: ['format'] },
    )
    const exchanged = fc.tuple(level, fc.constantFrom('destinations', 'fragments')).map((parts) => parts.join('/'))
    const made = fc.oneof(
      fc.tuple(exchanged, order).map(([path, body]): Made => ({ method: 'POST', path: `${path}/import`, body })),
      fc.tuple(exchanged, wanted).map(([path, body]): Made => ({ method: 'POST', path: `${path}/export`, body })),
    )
    expect(await faultsOf(fc.sample(made, 1_200))).toEqual([])
  })

  it('with parameters of instances end in all of them or none', async () => {
    const initial = fc.record(
      {
        existing_destinations_policy: fc.oneof(fc.constantFrom('fail', 'ignore', 'update'), value),
        destinations: fc.oneof(fc.array(fc.dictionary(fc.oneof(fc.constantFrom('Name', 'Type'), text), value), { maxLength: 3 }), value),
        certificates: fc.oneof(
          fc.array(fc.record({ Name: text, Content: value }, { requiredKeys: [] }), { maxLength: 2 }),
          fc.constant([]),
          value,
        ),
      },
      { requiredKeys: [] },
    )
    const lists = fc.record({ read_scopes: fc.oneof(fc.array(text, { maxLength: 3 }), value), write_scopes: value }, { requiredKeys: [] })
    const parameters = fc.record(
      {
        HTML5Runtime_enabled: fc.oneof(fc.boolean(), value),
        init_data: fc.oneof(fc.record({ subaccount: initial, instance: initial }, { requiredKeys: [] }), value),
        subscriber_access: fc.oneof(fc.record({ destination: lists, certificate: lists }, { requiredKeys: [] }), value),
        version: value,
      },
      { requiredKeys: [] },
    )
    const made = fc
      .oneof(parameters, fc.jsonValue({ maxDepth: 3 }))
      .map((body): Made => ({ method: 'PUT', path: `/instances/${instanceId}/parameters`, body: body ?? 'null' }))
    expect(await faultsOf(fc.sample(made, 800))).toEqual([])
  })

  it('with names, labels and actions end in an answer or a refusal', async () => {
    const labels = fc.oneof(
      fc.array(fc.record({ key: text, values: fc.array(text, { maxLength: 12 }) }), { maxLength: 12 }),
      fc.jsonValue({ maxDepth: 3 }),
    )
    const made = fc.oneof(
      fc.tuple(fc.constantFrom('GET', 'DELETE', 'PATCH'), named).map(([method, path]): Made => ({ method, path })),
      fc
        .tuple(named, fc.constantFrom('check', 'publicKeys', 'renew', 'nothing'), fc.constantFrom('GET', 'POST'))
        .map(([path, action, method]): Made => ({ method, path: `${path}/${action}` })),
      fc.tuple(named, labels).map(([path, body]): Made => ({ method: 'PUT', path: `${path}/labels`, body: body ?? 'null' })),
    )
    expect(await faultsOf(fc.sample(made, 1_000))).toEqual([])
  })

  it('and no secret has come into the log', () => {
    const log = running.logged.join('\n')
    expect(running.logged.length).toBeGreaterThan(1_000)
    expect(log).not.toContain(secret)
    expect(log).not.toContain('"level":"error"')
  })
})
