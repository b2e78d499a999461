import { destinationRoles } from '@sallyport/admin-api'
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
import { createConnectionChecker } from '../src/index.ts'

const consumers = ['s', 'S'] as const
const subaccounts = [providerSubaccount, ...consumers]
const instances = [
  { id: instanceId, client: clientId },
  { id: otherInstanceId, client: otherClientId },
]
const scopes = { read: 'app!b1.read', write: 'app!b1.write' }
const allNames = ['a', 'A', 'b'] as const
const content = Buffer.from(createTestCa().certificate).toString('base64')

let running: RunningService
beforeAll(async () => {
  running = await startService({ connections: createConnectionChecker({ privateAddresses: 'refuse' }) })
  // One instance lets consumers in who have its scopes; the other lets in nobody.
  const lists = { read_scopes: [scopes.read], write_scopes: [scopes.write] }
  const body = { subscriber_access: { destination: lists, certificate: lists } }
  const { status } = await running.administer('PUT', `/instances/${instanceId}/parameters`, { body })
  if (status !== 200) throw new Error(`status ${status}`)
})
afterAll(() => running.close())

/** Somebody who administers, and what he may do where he is let in. */
interface Person {
  readonly subaccount: string
  /** Everything on own levels, or nothing. */
  readonly roles: boolean
  readonly read: boolean
  readonly write: boolean
}

interface Kept {
  readonly marker: string
  readonly shared: boolean
}

/** Content by subaccount, instance (`''` for none), kind and name. */
const kept = new Map<string, Map<string, Kept>>()
const of = (subaccount: string, instance: string, kind: string): Map<string, Kept> => {
  const key = JSON.stringify([subaccount, instance, kind])
  const known = kept.get(key) ?? new Map<string, Kept>()
  kept.set(key, known)
  return known
}

/** What not every kind of entity knows. */
const kindsOf: Readonly<Record<string, readonly string[]>> = {
  duplicate: ['destinations', 'fragments'],
  export: ['destinations', 'fragments'],
  import: ['destinations', 'fragments'],
  check: ['destinations'],
  publicKeys: ['certificates'],
  renew: ['certificates'],
}
const anyStep = fc.record({
  person: fc.record({
    subaccount: fc.constantFrom(...subaccounts),
    roles: fc.constantFrom(true, true, false),
    read: fc.boolean(),
    write: fc.boolean(),
  }),
  instance: fc.constantFrom('', instanceId, otherInstanceId, 'no-such-instance'),
  kind: fc.constantFrom('destinations' as const, 'fragments' as const, 'certificates' as const),
  name: fc.constantFrom(...allNames),
  action: fc.constantFrom(
    'app',
    'app',
    'list',
    'get',
    'get',
    'create',
    'create',
    'duplicate',
    'replace',
    'delete',
    'export',
    'import',
    'label',
    'labels',
    'check',
    'publicKeys',
    'renew',
    'instances',
  ),
  shared: fc.boolean(),
})
const step = anyStep.filter(({ action, kind }) => kindsOf[action]?.includes(kind) ?? true)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

let serial = 0
const markersIn = (text: string): string[] => text.match(/marker-\d+/g) ?? []

describe('people who administer', () => {
  it('see and change what belongs to them or is shared with them, and learn of nothing else', { timeout: 60_000 }, async () => {
    const outcomes = new Map<string, number>()
    for (const each of fc.sample(step, 2_000)) {
      const { outcome, observed, expected } = each.action === 'app' ? await writeAsApplication(each) : await administer(each)
      expect({ each, ...observed }).toEqual({ each, ...expected })
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    for (const needed of ['app 201', 'own 200', 'own 201', 'own 404', 'shared 200', 'shared 404', 'shared 409', 'closed 403', 'closed 404'])
      expect({ needed, often: (outcomes.get(needed) ?? 0) > 5 }).toEqual({ needed, often: true })
    expect(running.logged.join('\n')).not.toMatch(/marker-\d+/)
    expect(running.logged.join('\n')).not.toContain('"level":"error"')
  })
})

/** What was seen, and what should have been. */
interface Seen {
  readonly outcome: string
  readonly observed: Readonly<Record<string, unknown>>
  readonly expected: Readonly<Record<string, unknown>>
}

/** What the application of an instance stores for a subaccount, shared with its consumers or not. */
async function writeAsApplication({ person: { subaccount }, instance, kind, name, shared }: Step): Promise<Seen> {
  const { id, client } = instances.find((known) => known.id === instance) ?? instances[0]
  const collection = { destinations: 'Destinations', fragments: 'DestinationFragments', certificates: 'Certificates' }[kind]
  const entities = of(subaccount, id, kind)
  const marker = `marker-${serial++}`
  const body = { ...propertiesOf(kind, name, marker), ...(shared ? { $metadata: { shared_with_subscriber: true } } : {}) }
  const { status } = await running.call('POST', `/v1/instance${collection}`, { token: running.token({ subaccount, client }), body })
  const expected = { status: entities.has(name) ? 409 : 201 }
  if (status === 201) entities.set(name, { marker, shared: shared && subaccount !== providerSubaccount })
  return { outcome: `app ${status}`, observed: { status }, expected }
}

async function administer(each: Step): Promise<Seen> {
  const { person, instance, kind, name, action } = each
  const token = running.personToken({
    subaccount: person.subaccount,
    roles: person.roles ? [...destinationRoles] : [],
    scopes: [...(person.read ? [scopes.read] : []), ...(person.write ? [scopes.write] : [])],
  })
  const root = `${instance === '' ? '/subaccount' : `/instances/${instance}`}/${kind}`
  const send = (method: string, path: string, body?: unknown): Promise<Answered> =>
    running.administer(method, path, { token, ...(body === undefined ? {} : { body }) })
  const entities = of(person.subaccount, instance, kind)
  const access = accessOf(person, instance)
  const visible = new Map([...entities].filter(([, { shared }]) => access !== 'shared' || shared))
  const known = visible.get(name)
  const marker = `marker-${serial++}`
  const properties = propertiesOf(kind, name, marker)
  const draft = kind === 'certificates' ? properties : { properties }

  if (action === 'instances') {
    const listed = (await send('GET', '/instances')).json as readonly { readonly id: string }[]
    const open = instances.map(({ id }) => id).filter((id) => ['own', 'shared'].includes(accessOf(person, id)))
    return { outcome: 'instances', observed: { listed: listed.map(({ id }) => id) }, expected: { listed: open } }
  }
  const [method, path, body, wants] = requestOf(each, root, draft)
  const answer = await send(method, path, body)
  const expectation = (): { readonly status: number; readonly markers: readonly string[] } => {
    if (access === 'unknown' || access === 'refused') return { status: access === 'unknown' ? 404 : 403, markers: [] }
    if (access === 'shared' && !(person.write || (person.read && wants === 'view'))) return { status: 403, markers: [] }
    const missing = { status: 404, markers: [] }
    const shown = known === undefined || kind === 'certificates' ? [] : [known.marker]
    const isConsumer = access === 'shared'
    switch (action) {
      case 'list':
        return { status: 200, markers: kind === 'certificates' ? [] : [...visible.values()].map((entity) => entity.marker) }
      case 'get':
        return known === undefined ? missing : { status: 200, markers: shown }
      case 'create':
      case 'duplicate': {
        const source = action === 'duplicate' ? visible.get('b') : undefined
        if (action === 'duplicate' && source === undefined) return missing
        if (entities.has(name)) return { status: 409, markers: [] }
        entities.set(name, { marker, shared: isConsumer })
        return { status: 201, markers: kind === 'certificates' ? [] : [marker] }
      }
      case 'replace':
        if (known === undefined) return missing
        entities.set(name, { marker, shared: known.shared })
        return { status: 200, markers: kind === 'certificates' ? [] : [marker] }
      case 'delete':
        entities.delete(known === undefined ? '' : name)
        return known === undefined && kind !== 'fragments' ? missing : { status: 200, markers: [] }
      case 'export':
        return known === undefined ? missing : { status: 200, markers: shown }
      case 'import':
        if (!entities.has(name)) entities.set(name, { marker, shared: isConsumer })
        else if (known !== undefined) entities.set(name, { marker, shared: known.shared })
        return { status: 200, markers: [] }
      case 'check':
        // Its target has an address that must not be called.
        return known === undefined ? missing : { status: 200, markers: [] }
      case 'renew':
        return known === undefined ? missing : { status: 422, markers: [] }
      default:
        return known === undefined ? missing : { status: 200, markers: [] }
    }
  }
  const said = action === 'export' ? fileOf(answer) : answer.text
  // Taken before the model changes: the map of what is visible is a copy.
  const names = [...visible.keys()].toSorted()
  const { status, markers } = expectation()
  const isList = action === 'list' && answer.status === 200
  const listed = isList ? (answer.json as readonly { readonly name: string }[]).map((entity) => entity.name.replace(/\.pem$/, '')) : []
  return {
    outcome: `${access === 'own' || access === 'shared' ? access : 'closed'} ${answer.status}`,
    observed: {
      access,
      status: answer.status,
      markers: markersIn(said + JSON.stringify([...answer.headers])).toSorted(),
      listed: listed.toSorted(),
    },
    expected: { access, status, markers: [...markers].toSorted(), listed: isList ? names : [] },
  }
}

/** How somebody stands to a level. */
function accessOf({ subaccount, roles, read, write }: Person, instance: string): 'own' | 'shared' | 'refused' | 'unknown' {
  if (instance === 'no-such-instance') return 'unknown'
  if (instance === '' || subaccount === providerSubaccount) return roles ? 'own' : 'refused'
  return instance === instanceId && (read || write) ? 'shared' : 'refused'
}

type Request = readonly [method: string, path: string, body: unknown, wants: 'view' | 'manage']

/** The request, and which right it takes. */
function requestOf({ action, kind, name }: Step, root: string, draft: object): Request {
  const one = `${root}/${name}${kind === 'certificates' ? '.pem' : ''}`
  const isFile = kind === 'certificates'
  switch (action) {
    case 'list':
      return ['GET', root, undefined, 'view']
    case 'create':
      return ['POST', root, draft, 'manage']
    case 'duplicate':
      return ['POST', root, { ...draft, secretsFrom: 'b' }, 'manage']
    case 'replace':
      return ['PUT', isFile ? root : one, draft, 'manage']
    case 'delete':
      return ['DELETE', one, undefined, 'manage']
    case 'export':
      return ['POST', `${root}/export`, { format: 'json', names: [name] }, 'view']
    case 'import': {
      const file = 'properties' in draft ? JSON.stringify(draft.properties) : ''
      return ['POST', `${root}/import`, { content: btoa(file), existing: 'update' }, 'manage']
    }
    case 'label':
      return ['PUT', `${one}/labels`, [{ key: 'k', values: ['v'] }], 'manage']
    case 'labels':
      return ['GET', `${one}/labels`, undefined, 'view']
    case 'check':
      return ['POST', `${one}/check`, undefined, 'view']
    case 'publicKeys':
      return ['GET', `${one}/publicKeys`, undefined, 'view']
    case 'renew':
      return ['POST', `${one}/renew`, undefined, 'manage']
    default:
      // The file of a certificate may hold keys.
      return ['GET', one, undefined, isFile ? 'manage' : 'view']
  }
}

function fileOf({ json, text }: Answered): string {
  const file = (json as { readonly content?: string } | undefined)?.content
  return file === undefined ? text : Buffer.from(file, 'base64').toString('utf8')
}

function propertiesOf(kind: Step['kind'], name: string, marker: string): Record<string, string> {
  if (kind === 'destinations') return { Name: name, Type: 'HTTP', URL: 'http://127.0.0.1:1', Password: 'hunter2', Marker: marker }
  if (kind === 'fragments') return { FragmentName: name, Marker: marker }
  return { Name: `${name}.pem`, Content: content }
}
