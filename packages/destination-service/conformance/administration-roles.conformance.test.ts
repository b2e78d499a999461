import { type DestinationRole, destinationRoles } from '@sallyport/admin-api'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createConnectionChecker } from '../src/index.ts'
import { clientId, instanceId, otherInstanceId, providerSubaccount, type RunningService, startService } from './running-service.ts'

const certificates = createTestCa()
const content = Buffer.from(certificates.certificate).toString('base64')
const renewed = Buffer.from(certificates.issue({ subject: '/CN=x' }).certificate).toString('base64')
const subscriber = 'aaaaaaaa-5555-5555-5555-000000000001'
const subaccountLevel = { subaccountId: providerSubaccount, instanceId: null }
const destination = (name: string) => ({ Name: name, Type: 'HTTP', URL: 'https://x.example', Password: 'hunter2' })

let running: RunningService

beforeAll(async () => {
  running = await startService({ connections: createConnectionChecker({ privateAddresses: 'refuse' }) })
})
afterAll(() => running.close())

const perform = async (method: string, path: string, token: string, body?: unknown): Promise<number> =>
  (await running.administer(method, path, { token, ...(body === undefined ? {} : { body }) })).status

describe('DS-137 what a role allows in the administration API', () => {
  /** Each operation by what it is, with requests that succeed for whoever may do it and leave everything as it was. */
  const operations = {
    'view destinations': (level, token) =>
      all([
        () => perform('GET', `${level}/destinations`, token),
        () => perform('GET', `${level}/destinations/seen`, token),
        () => perform('GET', `${level}/fragments`, token),
        () => perform('GET', `${level}/destinations/seen/labels`, token),
        () => perform('POST', `${level}/destinations/export`, token, { format: 'json' }),
      ]),
    'manage destinations': (level, token) =>
      all([
        () => perform('POST', `${level}/destinations`, token, { properties: destination('made') }),
        () => perform('PUT', `${level}/destinations/made`, token, { properties: destination('made') }),
        () => perform('PUT', `${level}/destinations/made/labels`, token, []),
        () => perform('DELETE', `${level}/destinations/made`, token),
        () => perform('POST', `${level}/destinations/import`, token, { content: btoa('Name=made\nType=HTTP'), review: true }),
        () => perform('POST', `${level}/fragments`, token, { properties: { FragmentName: 'made' } }),
        () => perform('DELETE', `${level}/fragments/made`, token),
      ]),
    'view certificates': (level, token) =>
      all([() => perform('GET', `${level}/certificates`, token), () => perform('GET', `${level}/certificates/seen.crt/publicKeys`, token)]),
    'manage certificates': (level, token) =>
      all([
        () => perform('GET', `${level}/certificates/seen.crt`, token),
        () => perform('POST', `${level}/certificates`, token, { Name: 'made.crt', Content: content }),
        () => perform('PUT', `${level}/certificates`, token, { Name: 'made.crt', Content: renewed }),
        () => perform('DELETE', `${level}/certificates/made.crt`, token),
      ]),
  } satisfies Record<string, (level: string, token: string) => Promise<'allowed' | 'refused'>>
  type Operation = keyof typeof operations

  /** All requests of an operation have the same outcome, so that no route forgets to ask. */
  async function all(requests: readonly (() => Promise<number>)[]): Promise<'allowed' | 'refused'> {
    const statuses: number[] = []
    for (const request of requests) statuses.push(await request())
    if (statuses.every((status) => status === 200 || status === 201)) return 'allowed'
    expect(statuses).toEqual(statuses.map(() => 403))
    return 'refused'
  }

  const allowedTo = async (level: string, ...roles: readonly DestinationRole[]): Promise<readonly Operation[]> => {
    const token = running.personToken({ roles })
    const allowed: Operation[] = []
    for (const [name, run] of Object.entries(operations)) if ((await run(level, token)) === 'allowed') allowed.push(name as Operation)
    return allowed
  }

  beforeAll(async () => {
    const options = { nowMs: 0, maxPerSubaccount: 100 }
    for (const level of [subaccountLevel, { subaccountId: providerSubaccount, instanceId }]) {
      await running.repository.create(
        'destination',
        level,
        [{ name: 'seen', properties: destination('seen'), sharedWithSubscriber: false }],
        options,
      )
      const pem = { Name: 'seen.crt', Type: 'CERTIFICATE', Content: content }
      await running.repository.create('certificate', level, [{ name: 'seen.crt', properties: pem, sharedWithSubscriber: false }], options)
    }
  })

  const everything: readonly Operation[] = ['view destinations', 'manage destinations', 'view certificates', 'manage certificates']
  const onSubaccount: Partial<Record<DestinationRole, readonly Operation[]>> = {
    'Destination Administrator': everything,
    'Destination Configuration Administrator': ['view destinations', 'manage destinations'],
    'Destination Certificate Administrator': ['view certificates', 'manage certificates'],
    'Destination Viewer': ['view destinations', 'view certificates'],
    'Destination Configuration Viewer': ['view destinations'],
    'Destination Certificate Viewer': ['view certificates'],
  }
  const onInstance: Partial<Record<DestinationRole, readonly Operation[]>> = {
    ...onSubaccount,
    'Destination Administrator Instance': everything,
    'Destination Configuration Instance Administrator': ['view destinations', 'manage destinations'],
    'Destination Certificate Instance Administrator': ['view certificates', 'manage certificates'],
    'Destination Viewer Instance': ['view destinations', 'view certificates'],
    'Destination Configuration Instance Viewer': ['view destinations'],
    'Destination Certificate Instance Viewer': ['view certificates'],
  }

  it.each(destinationRoles)('on the subaccount: %s', async (role) => {
    expect(await allowedTo('/subaccount', role)).toEqual(onSubaccount[role] ?? [])
  })

  it.each(destinationRoles)('on an instance, beside Space Developer: %s', async (role) => {
    expect(await allowedTo(`/instances/${instanceId}`, role, 'Space Developer')).toEqual(onInstance[role] ?? [])
  })

  /** There is none yet, so whoever may look or change is told so. */
  const trust = {
    'view trust': ['GET /certificate', 'GET /certificate/passive', 'GET '],
    'manage trust': ['DELETE /certificate/passive', 'POST /certificate/passive', 'POST /rotateCertificate'],
  }
  it.each<[DestinationRole, readonly string[]]>([
    ['Destination Administrator', ['view trust', 'manage trust']],
    ['Destination Subaccount Trust Administrator', ['view trust', 'manage trust']],
    ['Destination Viewer', ['view trust']],
    ['Destination Subaccount Trust Viewer', ['view trust']],
    ['Destination Configuration Administrator', []],
    ['Destination Certificate Administrator', []],
    ['Destination Administrator Instance', []],
    ['Space Developer', []],
  ])('on the trust of the subaccount: %s', async (role, expected) => {
    const token = running.personToken({ roles: [role] })
    for (const [operation, requests] of Object.entries(trust)) {
      for (const request of requests) {
        const [method = '', path = ''] = request.split(' ')
        expect(await perform(method, `/subaccount/trust${path}`, token)).toBe(expected.includes(operation) ? 404 : 403)
      }
    }
    expect(await perform('GET', `/instances/${instanceId}/trust/certificate`, token)).toBe(404)
  })

  it.each(['Org Manager', 'Space Manager', 'Space Developer'] as const)(
    'on an instance %s is what has to come beside a role',
    async (space) => {
      expect(await allowedTo(`/instances/${instanceId}`, 'Destination Administrator')).toEqual([])
      expect(await allowedTo(`/instances/${instanceId}`, 'Destination Administrator', space)).toEqual(everything)
    },
  )

  it('on an instance a Space Auditor looks and changes nothing', async () => {
    expect(await allowedTo(`/instances/${instanceId}`, 'Destination Administrator', 'Space Auditor')).toEqual([
      'view destinations',
      'view certificates',
    ])
  })

  it('says which role is lacking', async () => {
    const answer = await running.administer('POST', '/subaccount/destinations', { token: running.personToken(), body: {} })
    expect(answer.json).toEqual({
      ErrorMessage:
        'You may not manage the destinations of the subaccount: that needs one of the roles Destination Administrator, Destination Configuration Administrator',
    })
  })
})

describe('who administers', () => {
  it('the session says who it is and what will work', async () => {
    const roles: readonly DestinationRole[] = ['Destination Viewer', 'Destination Configuration Administrator']
    const session = await running.administer('GET', '/session', { token: running.personToken({ roles }) })
    expect(session.json).toEqual({
      subaccount: providerSubaccount,
      user: 'jane@acme.test',
      roles: ['Destination Configuration Administrator', 'Destination Viewer'],
      editor: true,
      access: { destinations: 'manage', certificates: 'view', trust: 'view' },
    })
    const nobody = await running.administer('GET', '/session', { token: running.personToken() })
    expect(nobody.json).toMatchObject({ editor: false, access: { destinations: 'none', certificates: 'none', trust: 'none' } })
  })

  it('a client of an instance manages what its instance manages, and no other instance', async () => {
    expect((await running.administer('GET', '/session')).json).toMatchObject({
      user: clientId,
      access: { destinations: 'manage', trust: 'manage' },
    })
    expect((await running.administer('GET', '/instances')).json).toEqual([
      expect.objectContaining({
        id: instanceId,
        relation: 'own',
        access: { destinations: 'manage', certificates: 'manage', trust: 'none' },
      }),
    ])
    expect(await perform('GET', `/instances/${instanceId}/destinations`, running.token())).toBe(200)
    expect(await perform('GET', `/instances/${otherInstanceId}/destinations`, running.token())).toBe(404)
  })

  it.each([
    ['no token', undefined, 401],
    [
      'a user token of an instance',
      () => running.issuer.user('jane', { cid: clientId, client_id: clientId, zid: providerSubaccount }),
      403,
    ],
    [
      'a user token of another application',
      () => running.personToken({ roles: ['Destination Administrator'], claims: { cid: 'sb-other!t1' } }),
      403,
    ],
    [
      'the application without a user',
      () => running.personToken({ claims: { grant_type: 'client_credentials', user_name: undefined, user_id: undefined } }),
      403,
    ],
    ['roles of another application', () => running.personToken({ scopes: ['other!t1.Destination_Administrator'] }), 403],
    ['an unknown instance', () => running.personToken({ roles: [...destinationRoles] }), 404, '/instances/none/destinations'],
  ])('is not %s', async (_what, token, status, path = '/subaccount/destinations') => {
    expect(await perform('GET', path, token?.() ?? 'none')).toBe(status)
  })

  it('people of one subaccount see nothing of another', async () => {
    const token = running.personToken({ subaccount: subscriber, roles: [...destinationRoles] })
    expect((await running.administer('GET', '/subaccount/destinations', { token })).json).toEqual([])
  })

  it('the token of the administration opens nothing of the REST API', async () => {
    const token = running.personToken({ roles: ['Destination Administrator'] })
    expect((await running.call('GET', '/v1/subaccountDestinations', { token })).status).toBe(403)
  })
})

describe('what applications share with their consumers', () => {
  const subscription = { subaccountId: subscriber, instanceId }
  const token = (...scopes: string[]): string => running.personToken({ subaccount: subscriber, roles: [...destinationRoles], scopes })
  const parameters = (access: unknown): Promise<unknown> =>
    running.administer('PUT', `/instances/${instanceId}/parameters`, { body: { subscriber_access: access } })

  beforeEach(async () => {
    for (const kind of ['destination', 'certificate'] as const) {
      await running.repository.remove(
        kind,
        subscription,
        (await running.repository.index(kind, subscription)).map(({ name }) => name),
      )
    }
    await parameters({
      destination: { read_scopes: ['app!b1.read', 'app!b1.also'], write_scopes: ['app!b1.write'] },
      certificate: { read_scopes: [], write_scopes: [] },
    })
  })

  it('DS-016 a consumer sees what was stored with $metadata.shared_with_subscriber, and nothing else', async () => {
    const application = running.token({ subaccount: subscriber })
    const post = (body: unknown) => running.call('POST', '/v1/instanceDestinations', { token: application, body })
    expect((await post({ ...destination('shared'), $metadata: { shared_with_subscriber: true } })).status).toBe(201)
    expect((await post(destination('private'))).status).toBe(201)
    const reader = token('app!b1.read', 'app!b1.also')
    const path = `/instances/${instanceId}/destinations`
    const listed = (await running.administer('GET', path, { token: reader })).json as readonly { readonly name: string }[]
    expect(listed.map(({ name }) => name)).toEqual(['shared'])
    expect(await perform('GET', `${path}/shared`, reader)).toBe(200)
    expect(await perform('GET', `${path}/private`, reader)).toBe(404)
    const writer = token('app!b1.write')
    expect(await perform('PUT', `${path}/private`, writer, { properties: destination('private') })).toBe(404)
    expect(await perform('DELETE', `${path}/private`, writer)).toBe(404)
    expect(((await running.call('GET', '/v1/instanceDestinations?$select=Name', { token: application })).json as unknown[]).length).toBe(2)
  })

  it('what a consumer makes is shared, and a name of the private zone cannot be had twice', async () => {
    await running.call('POST', '/v1/instanceDestinations', {
      token: running.token({ subaccount: subscriber }),
      body: destination('private'),
    })
    const path = `/instances/${instanceId}/destinations`
    const writer = token('app!b1.write')
    expect(await perform('POST', path, writer, { properties: destination('private') })).toBe(409)
    expect(await perform('POST', path, writer, { properties: destination('mine') })).toBe(201)
    expect(await running.repository.find('destination', subscription, 'mine')).toMatchObject({ sharedWithSubscriber: true })
  })

  it('DS-134 a user needs every scope of a list', async () => {
    const path = `/instances/${instanceId}/destinations`
    const can = async (...scopes: string[]): Promise<readonly boolean[]> => [
      (await perform('GET', path, token(...scopes))) === 200,
      (await perform('POST', `${path}/import`, token(...scopes), { content: btoa('Name=x\nType=HTTP'), review: true })) === 200,
    ]
    expect(await can()).toEqual([false, false])
    expect(await can('app!b1.read')).toEqual([false, false])
    expect(await can('app!b1.read', 'app!b1.also')).toEqual([true, false])
    expect(await can('app!b1.write')).toEqual([true, true])
    // No access is the default, and certificates have none here.
    expect(await perform('GET', `/instances/${instanceId}/certificates`, token('app!b1.read', 'app!b1.also', 'app!b1.write'))).toBe(403)
  })

  it('DS-134 omitted sections and lists survive an update, an empty one takes the access away', async () => {
    const settings = async () => (await running.administer('GET', `/instances/${instanceId}/settings`)).json
    const destinations = { read: ['app!b1.read', 'app!b1.also'], write: ['app!b1.write'] }
    await parameters({ certificate: { read_scopes: ['app!b1.cert'] } })
    expect(await settings()).toMatchObject({ subscriberAccess: { destinations, certificates: { read: ['app!b1.cert'], write: [] } } })
    await parameters({ destination: { write_scopes: [] } })
    expect(await settings()).toMatchObject({ subscriberAccess: { destinations: { ...destinations, write: [] } } })
    expect(await perform('POST', `/instances/${instanceId}/destinations`, token('app!b1.write'), { properties: destination('x') })).toBe(
      403,
    )
    await running.administer('PUT', `/instances/${instanceId}/parameters`, { body: {} })
    expect(await settings()).toMatchObject({ subscriberAccess: { destinations: { ...destinations, write: [] } } })
  })

  it('a consumer sees the instances that let him in, and changes no parameters', async () => {
    expect((await running.administer('GET', '/instances', { token: token('app!b1.write') })).json).toEqual([
      {
        id: instanceId,
        name: `name of ${instanceId}`,
        relation: 'subscription',
        access: { destinations: 'manage', certificates: 'none', trust: 'none' },
      },
    ])
    expect((await running.administer('GET', '/instances', { token: token() })).json).toEqual([])
    expect(await perform('PUT', `/instances/${instanceId}/parameters`, token('app!b1.write'), {})).toBe(403)
    expect(await perform('GET', `/instances/${instanceId}/settings`, token('app!b1.write'))).toBe(403)
  })
})

it('an ID token, which applications hand to browsers, administers nothing', async () => {
  const token = running.personToken({ roles: ['Destination Administrator'], claims: { cid: undefined, client_id: undefined } })
  expect(await perform('GET', '/session', token)).toBe(403)
})
