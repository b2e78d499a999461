import { createTestCa } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Answered,
  clientId,
  instanceId,
  otherClientId,
  otherInstanceId,
  providerSubaccount,
  type RunningService,
  startService,
} from '../conformance/running-service.ts'
import { type Kind, levelKey, type LevelKey, TenancyModel, type Tenant, visibleLevels, type Word } from './tenancy-model.ts'

const limit = 6
/** Ids that are easily taken for each other. */
const subaccounts = [providerSubaccount, 's', 'S', 's ', '["s",null]', 'subaccount']
const clients = [
  { client: clientId, instance: instanceId },
  { client: otherClientId, instance: otherInstanceId },
]
const names = ['a', 'A', 'a_', 'aa'] as const
const kinds: readonly Kind[] = ['destination', 'fragment', 'certificate']
const words: readonly Word[] = ['subaccount', 'instance', 'provider_subaccount', 'provider_instance']
const paths: Readonly<Record<Kind, string>> = { destination: 'Destinations', fragment: 'DestinationFragments', certificate: 'Certificates' }

let running: RunningService
const content = Buffer.from(createTestCa().certificate).toString('base64')
beforeAll(async () => {
  running = await startService({ perSubaccount: limit })
})
afterAll(() => running.close())

/** Whose a marker is; every entity has one that is nobody else's. */
const owners = new Map<string, LevelKey>()
/** Versions of all tenants' entities: whoever knows one of another tenant must not learn from it that the entity exists. */
const etags: string[] = []

interface Call {
  readonly who: number
  readonly level: 'subaccount' | 'instance'
  readonly kind: Kind
  readonly action: (typeof actions)[number]
  readonly name: (typeof names)[number]
  readonly other: (typeof names)[number]
  readonly word: Word
  readonly fragmentWord: Word
  readonly foreignEtag: number
}

const actions = [
  'create',
  'create',
  'create',
  'use',
  'bulk',
  'replace',
  'delete',
  'bulk delete',
  'get',
  'get',
  'list',
  'names',
  'page',
  'label',
  'by label',
  'find',
  'find',
  'merge',
  'consume',
  'consume merged',
] as const
const call: fc.Arbitrary<Call> = fc.record({
  who: fc.nat(subaccounts.length * clients.length - 1),
  level: fc.constantFrom('subaccount', 'instance'),
  kind: fc.constantFrom(...kinds, 'destination' as const),
  action: fc.constantFrom(...actions),
  name: fc.constantFrom(...names),
  other: fc.constantFrom(...names),
  word: fc.constantFrom(...words),
  fragmentWord: fc.constantFrom(...words),
  foreignEtag: fc.nat(10_000),
})

let serial = 0

const matching = (pattern: RegExp): string => expect.stringMatching(pattern) as string

describe('tenants', () => {
  it('never see, overwrite, delete, count or are told of something of one another, whatever they do', { timeout: 60_000 }, async () => {
    const model = new TenancyModel(limit)
    const tenants = subaccounts.flatMap((subaccount) =>
      clients.map(({ client, instance }) => ({
        subaccount,
        instance,
        provider: providerSubaccount,
        token: running.token({ subaccount, client }),
      })),
    )
    for (const step of fc.sample(call, 1_500)) {
      const tenant = tenants[step.who] as Tenant & { readonly token: string }
      const { answer, expected } = await carryOut(step, tenant, model)
      const counted = answer.headers.get('entity-count') ?? undefined
      expect({ step, status: answer.status, body: answer.json, counted }).toEqual({ step, ...expected })
      const said = answer.text + JSON.stringify([...answer.headers])
      const visible = visibleLevels(tenant)
      for (const [marker] of said.matchAll(/marker-\d+/g))
        expect({ step, visible: visible.has(owners.get(marker) ?? '') }).toEqual({ step, visible: true })
      const etag = answer.headers.get('etag')
      if (etag !== null) etags.push(etag)
    }
    expect(serial).toBeGreaterThan(150)
    expect(running.logged.join('\n')).not.toMatch(/marker-\d+/)
  })
})

interface Outcome {
  readonly answer: Answered
  readonly expected: { readonly status: number; readonly body: unknown; readonly counted?: string }
}

async function carryOut(step: Call, tenant: Tenant & { readonly token: string }, model: TenancyModel): Promise<Outcome> {
  const { action, kind } = step
  const isLookUp = ['find', 'merge', 'consume', 'consume merged'].includes(action)
  const [name, other] = [step.name, step.other].map((of) => (kind === 'certificate' && !isLookUp ? `${of}.pem` : of)) as [string, string]
  const level = levelKey(tenant, step.level)
  const collection = `/v1/${step.level}${paths[kind]}`
  const entities = model.of(level, kind)
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> =>
    running.call(method, path, { token: tenant.token, headers, ...(body === undefined ? {} : { body }) })
  const nameProperty = kind === 'fragment' ? 'FragmentName' : 'Name'
  const missing =
    kind === 'fragment'
      ? `The fragment with the specified name '${name}' was not found`
      : 'Configuration with the specified name was not found'
  const absent = { status: 404, body: { ErrorMessage: missing } }
  const shown = (of: string, marker: string, uses?: string): Record<string, string> => ({
    [nameProperty]: of,
    ...(kind === 'destination' ? { Type: 'HTTP', URL: 'http://x' } : {}),
    ...(kind === 'certificate' ? { Type: 'CERTIFICATE', Content: content } : {}),
    ...(kind === 'fragment' ? { FragmentMarker: marker } : {}),
    ...(kind === 'destination' ? { Marker: marker } : {}),
    ...(uses === undefined ? {} : { 'clientAssertion.destinationName': uses }),
  })
  const all = (): Record<string, string>[] =>
    [...entities].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([of, { marker, uses }]) => shown(of, marker, uses))
  const full = { ErrorMessage: `The subaccount already has ${limit} ${kind}s, the most it can have` }
  const exists = { ErrorMessage: 'Configuration with the specified name already exists' }
  const fresh = (): string => {
    const marker = `marker-${serial++}`
    owners.set(marker, level)
    return marker
  }

  switch (action) {
    case 'create':
    case 'use': {
      const marker = fresh()
      const uses = action === 'use' && kind === 'destination' ? { uses: other } : {}
      const answer = await send('POST', collection, shown(name, marker, uses.uses))
      const status = model.create(level, kind, name, { marker, labels: [], ...uses })
      return { answer, expected: { status, body: status === 201 ? undefined : status === 409 ? exists : full } }
    }
    case 'bulk': {
      const items = [name, other].map((of) => ({ of, marker: fresh() }))
      const answer = await send(
        'POST',
        collection,
        items.map(({ of, marker }) => shown(of, marker)),
      )
      if (kind === 'fragment')
        return { answer, expected: { status: 400, body: { ErrorMessage: 'One request can write one fragment, as a JSON object' } } }
      const statuses = items.map(({ of, marker }) => model.create(level, kind, of, { marker, labels: [] }))
      const body = items.map(({ of }, at) =>
        statuses[at] === 201
          ? { name: of, status: 201, etag: matching(/^[0-9a-f]{64}$/) }
          : { name: of, status: statuses[at], cause: statuses[at] === 409 ? 'Configuration already exists' : full.ErrorMessage },
      )
      return { answer, expected: { status: statuses.every((status) => status === 201) ? 201 : 207, body } }
    }
    case 'replace': {
      const marker = fresh()
      const answer = await send('PUT', collection, shown(name, marker))
      const status = model.replace(level, kind, name, { marker })
      return { answer, expected: status === 200 ? { status, body: { Count: 1 } } : absent }
    }
    case 'delete': {
      const answer = await send('DELETE', `${collection}/${name}`)
      const [user] = kind === 'destination' && entities.has(name) ? model.users(level, [name]).toSorted() : []
      if (user !== undefined)
        return {
          answer,
          expected: { status: 400, body: { ErrorMessage: matching(new RegExp(`'${name}' because it is used`)) } },
        }
      const removed = entities.delete(name)
      if (!removed && kind !== 'fragment') return { answer, expected: absent }
      return { answer, expected: { status: 200, body: { Count: removed ? 1 : 0 } } }
    }
    case 'bulk delete': {
      const asked = [...new Set([name, other])]
      const answer = await send('DELETE', `${collection}?${new URLSearchParams({ $filter: `Name in ('${name}','${other}')` })}`)
      if (kind === 'fragment')
        return { answer, expected: { status: 400, body: { ErrorMessage: 'One request can delete one fragment, by its name in the path' } } }
      if (kind === 'destination' && asked.some((of) => entities.has(of)) && model.users(level, asked).length > 0) {
        return { answer, expected: { status: 400, body: { ErrorMessage: matching(/^Unable to remove/) } } }
      }
      const summary = asked.map((of) =>
        entities.delete(of) ? { name: of, status: 'DELETED' } : { name: of, status: 'NOT_FOUND', reason: 'Could not find configuration' },
      )
      return {
        answer,
        expected: { status: 200, body: { Count: summary.filter(({ status }) => status === 'DELETED').length, Summary: summary } },
      }
    }
    case 'get': {
      const etag = etags[step.foreignEtag % Math.max(etags.length, 1)] ?? 'none'
      const current = (await send('GET', `${collection}/${name}`)).headers.get('etag')
      const answer = await send('GET', `${collection}/${name}`, undefined, { 'if-none-match': etag })
      const entity = entities.get(name)
      if (entity === undefined) return { answer, expected: absent }
      if (etag === current) return { answer, expected: { status: 304, body: undefined } }
      return { answer, expected: { status: 200, body: shown(name, entity.marker, entity.uses) } }
    }
    case 'list':
      return { answer: await send('GET', collection), expected: { status: 200, body: all() } }
    case 'names': {
      const answer = await send('GET', `${collection}?$select=${nameProperty}`)
      return { answer, expected: { status: 200, body: all().map((entity) => ({ [nameProperty]: entity[nameProperty] })) } }
    }
    case 'page': {
      const answer = await send('GET', `${collection}?$page=2&$pageSize=1&$entityCount=true&$pageCount=true`)
      return { answer, expected: { status: 200, body: all().slice(1, 2), counted: String(entities.size) } }
    }
    case 'label': {
      const answer = await send('PATCH', `${collection}/${name}/labels`, { action: 'ADD', labels: [{ key: 'k', values: [other] }] })
      const entity = entities.get(name)
      if (entity === undefined) return { answer, expected: absent }
      entity.labels = [...new Set([...entity.labels, other])]
      return { answer, expected: { status: 200, body: { Count: 1 } } }
    }
    case 'by label': {
      const answer = await send('GET', `${collection}?${new URLSearchParams({ $filter: `Label['k'] HAS ('${other}')` })}`)
      return {
        answer,
        expected: { status: 200, body: all().filter((entity) => entities.get(entity[nameProperty] ?? '')?.labels.includes(other)) },
      }
    }
    case 'find':
    case 'merge': {
      const headers = action === 'merge' ? { 'x-fragment-name': other } : {}
      const answer = await send('GET', `/v1/destinations/${name}`, undefined, headers)
      const at = (['instance', 'subaccount'] as const)
        .map((word) => levelKey(tenant, word))
        .find((key) => model.of(key, 'destination').has(name))
      return { answer, expected: found(model, { at, name, fragment: action === 'merge' ? { name: other, at } : undefined, owner: true }) }
    }
    case 'consume':
    case 'consume merged': {
      const { word, fragmentWord } = step
      const merged = action === 'consume merged'
      const headers = merged ? { 'x-fragment-name': `${other}@${fragmentWord}` } : {}
      const answer = await send('GET', `/v2/destinations/${name}@${word}`, undefined, headers)
      const at = model.of(levelKey(tenant, word), 'destination').has(name) ? levelKey(tenant, word) : undefined
      const isSubscriber = tenant.subaccount !== tenant.provider
      if (at !== undefined && merged && isSubscriber && word !== fragmentWord && (word === 'subaccount' || fragmentWord === 'subaccount')) {
        return { answer, expected: { status: 400, body: { ErrorMessage: matching(/cannot be combined/) } } }
      }
      const fragment = merged ? { name: other, at: levelKey(tenant, fragmentWord) } : undefined
      return { answer, expected: found(model, { at, name, fragment, owner: false }) }
    }
  }
}

interface Looked {
  readonly at: LevelKey | undefined
  readonly name: string
  readonly fragment: { readonly name: string; readonly at: LevelKey | undefined } | undefined
  readonly owner: boolean
}

function found(model: TenancyModel, { at, name, fragment, owner }: Looked): Outcome['expected'] {
  const entity = at === undefined ? undefined : model.of(at, 'destination').get(name)
  if (at === undefined || entity === undefined) {
    return { status: 404, body: { ErrorMessage: 'Configuration with the specified name was not found' } }
  }
  const laid = fragment?.at === undefined ? undefined : model.of(fragment.at, 'fragment').get(fragment.name)
  if (fragment !== undefined && laid === undefined) {
    return { status: 404, body: { ErrorMessage: `The fragment with the specified name '${fragment.name}' was not found` } }
  }
  const [SubaccountId, InstanceId] = JSON.parse(at) as [string, string | null]
  const destinationConfiguration = {
    Name: name,
    Type: 'HTTP',
    URL: 'http://x',
    ProxyType: 'Internet',
    Authentication: 'NoAuthentication',
    Marker: entity.marker,
    ...(entity.uses === undefined ? {} : { 'clientAssertion.destinationName': entity.uses }),
    ...(laid === undefined || fragment === undefined ? {} : { FragmentMarker: laid.marker, FragmentName: fragment.name }),
  }
  return { status: 200, body: { ...(owner ? { owner: { SubaccountId, InstanceId } } : {}), destinationConfiguration } }
}
