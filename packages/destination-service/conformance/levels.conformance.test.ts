import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  clientId,
  instanceId,
  otherClientId,
  otherInstanceId,
  providerSubaccount,
  type RunningService,
  startService,
} from './running-service.ts'

let running: RunningService
beforeEach(async () => {
  running = await startService()
})
afterEach(() => running.close())

const subscriber = 'subscriber-1'
const http = (Name: string, URL: string, extra: Record<string, string> = {}) => ({ Name, Type: 'HTTP', URL, ...extra })
const notFound = { ErrorMessage: 'Configuration with the specified name was not found' }

async function store(level: 'subaccount' | 'instance', destination: Record<string, unknown>, token?: string): Promise<void> {
  const answer = await running.call('POST', `/v1/${level}Destinations`, { body: destination, ...(token === undefined ? {} : { token }) })
  expect(answer.status).toBe(201)
}

async function urlOf(path: string, token = running.token()): Promise<unknown> {
  const { status, json } = await running.call('GET', path, { token })
  if (status === 404 && JSON.stringify(json) === JSON.stringify(notFound)) return undefined
  expect(status).toBe(200)
  const found = json as { URL?: string; destinationConfiguration?: { URL?: string } }
  return found.destinationConfiguration?.URL ?? found.URL
}

describe('levels', () => {
  it('DS-001 keeps one name on subaccount, instance and subscription level at the same time, each with its own content', async () => {
    const subscribed = running.token({ subaccount: subscriber })
    await store('subaccount', http('one', 'http://sa'))
    await store('instance', http('one', 'http://si'))
    await store('instance', http('one', 'http://subscription'), subscribed)
    expect(await urlOf('/v1/subaccountDestinations/one')).toBe('http://sa')
    expect(await urlOf('/v1/instanceDestinations/one')).toBe('http://si')
    expect(await urlOf('/v1/instanceDestinations/one', subscribed)).toBe('http://subscription')
  })

  it('DS-002 DS-003 CL-093 finds the instance’s destination first, then the subaccount’s, and never merges the two', async () => {
    await store('subaccount', http('both', 'http://sa', { OnlyThere: 'x' }))
    await store('instance', http('both', 'http://si'))
    await store('subaccount', http('fallback', 'http://sa'))
    const { json } = await running.call('GET', '/v1/destinations/both')
    expect(json).toMatchObject({ owner: { InstanceId: instanceId }, destinationConfiguration: { URL: 'http://si' } })
    expect(json).not.toHaveProperty('destinationConfiguration.OnlyThere')
    expect(await urlOf('/v1/destinations/fallback')).toBe('http://sa')
    // The instance is that of the calling client, the tenant the one of its token.
    expect(await urlOf('/v1/destinations/both', running.token({ client: otherClientId }))).toBe('http://sa')
    expect(await urlOf('/v1/destinations/both', running.token({ subaccount: subscriber }))).toBeUndefined()
    const byZid = running.token({ claims: { zid: providerSubaccount, ext_attr: { enhancer: 'XSUAA' } } })
    expect(await urlOf('/v1/destinations/both', byZid)).toBe('http://si')
  })

  it('DS-004 gives a subscriber its own level on the instance paths, which the provider does not see', async () => {
    const subscribed = running.token({ subaccount: subscriber })
    await store('instance', http('theirs', 'http://subscription'), subscribed)
    expect(await urlOf('/v1/instanceDestinations/theirs', subscribed)).toBe('http://subscription')
    expect(await urlOf('/v1/instanceDestinations/theirs')).toBeUndefined()
    expect((await running.call('GET', '/v1/instanceDestinations')).json).toEqual([])
    expect((await running.call('DELETE', '/v1/instanceDestinations/theirs')).status).toBe(404)
    expect(await urlOf('/v1/instanceDestinations/theirs', subscribed)).toBe('http://subscription')
  })

  it('DS-005 keeps two subscribers of one instance apart', async () => {
    const [one, two] = [running.token({ subaccount: 'subscriber-1' }), running.token({ subaccount: 'subscriber-2' })]
    await store('instance', http('mine', 'http://one'), one)
    await store('subaccount', http('mine', 'http://one-sa'), one)
    for (const path of ['/v1/instanceDestinations/mine', '/v1/subaccountDestinations/mine', '/v1/destinations/mine']) {
      expect(await urlOf(path, two)).toBeUndefined()
    }
    expect((await running.call('GET', '/v1/instanceDestinations', { token: two })).json).toEqual([])
  })

  it('DS-006 keeps two instances of one subaccount apart, and lets them share what the subaccount has', async () => {
    const other = running.token({ client: otherClientId })
    await store('instance', http('own', 'http://si'))
    await store('subaccount', http('shared', 'http://sa'))
    expect(await urlOf('/v1/instanceDestinations/own', other)).toBeUndefined()
    expect(await urlOf('/v1/destinations/own', other)).toBeUndefined()
    expect(await urlOf('/v1/destinations/shared', other)).toBe('http://sa')
    await store('instance', http('own', 'http://other'), other)
    expect(await running.call('GET', '/v1/destinations/own', { token: other })).toMatchObject({
      json: { owner: { InstanceId: otherInstanceId } },
    })
    expect(await urlOf('/v1/destinations/own')).toBe('http://si')
  })

  it('DS-007 never hands the provider’s destinations to a subscriber', async () => {
    await store('subaccount', http('provider-sa', 'http://sa'))
    await store('instance', http('provider-si', 'http://si'))
    const subscribed = running.token({ subaccount: subscriber })
    expect(await urlOf('/v1/destinations/provider-sa', subscribed)).toBeUndefined()
    expect(await urlOf('/v1/destinations/provider-si', subscribed)).toBeUndefined()
  })

  it('DS-008 says whose a destination is: both ids for instance and subscription, no instance for the subaccount', async () => {
    const subscribed = running.token({ subaccount: subscriber })
    await store('subaccount', http('sa', 'http://x'))
    await store('instance', http('si', 'http://x'))
    await store('instance', http('sub', 'http://x'), subscribed)
    expect((await running.call('GET', '/v1/destinations/sa')).json).toMatchObject({
      owner: { SubaccountId: providerSubaccount, InstanceId: null },
    })
    expect((await running.call('GET', '/v1/destinations/si')).json).toMatchObject({
      owner: { SubaccountId: providerSubaccount, InstanceId: instanceId },
    })
    expect((await running.call('GET', '/v1/destinations/sub', { token: subscribed })).json).toMatchObject({
      owner: { SubaccountId: subscriber, InstanceId: instanceId },
    })
  })

  it('DS-017 DS-018 refuses a name of one zone of a subscription in the other, and reads both zones', async () => {
    const token = running.token({ subaccount: subscriber })
    await store('instance', http('private', 'http://p'), token)
    await store('instance', { ...http('shared', 'http://s'), $metadata: { shared_with_subscriber: true } }, token)
    const again = { ...http('private', 'http://other'), '$metadata.shared_with_subscriber': 'true' }
    expect((await running.call('POST', '/v1/instanceDestinations', { token, body: again })).status).toBe(409)
    expect(await urlOf('/v1/destinations/private', token)).toBe('http://p')
    expect(await urlOf('/v1/destinations/shared', token)).toBe('http://s')
    const level = { subaccountId: subscriber, instanceId }
    expect(await running.repository.find('destination', level, 'shared')).toMatchObject({ sharedWithSubscriber: true })
    expect(await running.repository.find('destination', level, 'private')).toMatchObject({ sharedWithSubscriber: false })
    const { text } = await running.call('GET', '/v1/instanceDestinations', { token })
    expect(text).not.toContain('metadata')
  })
})

describe('consuming with a level', () => {
  it('DS-054 DS-055 looks on exactly the level that is named, on the instance’s when none is', async () => {
    await store('subaccount', http('both', 'http://sa'))
    await store('instance', http('both', 'http://si'))
    await store('subaccount', http('only-sa', 'http://sa'))
    expect(await urlOf('/v2/destinations/both')).toBe('http://si')
    expect(await urlOf('/v2/destinations/both@instance')).toBe('http://si')
    expect(await urlOf('/v2/destinations/both@subaccount')).toBe('http://sa')
    expect(await urlOf('/v2/destinations/both%40subaccount')).toBe('http://sa')
    expect(await urlOf('/v2/destinations/only-sa')).toBeUndefined()
    expect(await urlOf('/v2/destinations/only-sa@instance')).toBeUndefined()
  })

  it('DS-056 has no owner unless it is asked for, and then inside the configuration', async () => {
    await store('subaccount', http('d', 'http://sa'))
    const plain = (await running.call('GET', '/v2/destinations/d@subaccount')).json
    expect(plain).not.toHaveProperty('owner')
    expect(plain).not.toHaveProperty('destinationConfiguration.$metadata')
    for (const spelling of ['$includeMetadata', 'includeMetadata']) {
      const { json } = await running.call('GET', `/v2/destinations/d@subaccount?${spelling}=owner`)
      expect(json).not.toHaveProperty('owner')
      expect(json).toMatchObject({
        destinationConfiguration: {
          $metadata: {
            owner: { destinations: [{ Name: 'd', SubaccountId: providerSubaccount, InstanceId: null }], certificates: [], fragments: [] },
          },
        },
      })
    }
    expect((await running.call('GET', '/v2/destinations/d@subaccount?$includeMetadata=secrets')).status).toBe(400)
  })

  it('DS-058 lets a subscriber’s token reach the provider’s levels by name; for a provider the words say nothing new', async () => {
    const token = running.token({ subaccount: subscriber })
    await store('subaccount', http('d', 'http://provider-sa'))
    await store('instance', http('d', 'http://provider-si'))
    await store('instance', http('d', 'http://subscription'), token)
    expect(await urlOf('/v2/destinations/d@provider_subaccount', token)).toBe('http://provider-sa')
    expect(await urlOf('/v2/destinations/d@provider_instance', token)).toBe('http://provider-si')
    expect(await urlOf('/v2/destinations/d@instance', token)).toBe('http://subscription')
    expect(await urlOf('/v2/destinations/d@subaccount', token)).toBeUndefined()
    expect(await urlOf('/v2/destinations/d@provider_subaccount')).toBe('http://provider-sa')
    expect(await urlOf('/v2/destinations/d@provider_instance')).toBe('http://provider-si')
  })

  it.each(['space', '', 'Subaccount', 'subaccount ', 'toString'])('refuses the level "%s"', async (level) => {
    const { status, json } = await running.call('GET', `/v2/destinations/d@${encodeURIComponent(level)}`)
    expect(status).toBe(400)
    expect(json).toEqual({ ErrorMessage: expect.stringContaining('level') as string })
  })
})

describe('callers', () => {
  const refusal = { ErrorMessage: expect.any(String) as string }

  it('DS-032 refuses missing, expired and unparseable tokens with 401', async () => {
    const expired = running.token({ claims: { exp: Math.floor(running.clock.now() / 1000) - 1 } })
    expect(await running.call('GET', '/v1/destinations/d', { token: expired })).toMatchObject({ status: 401, json: refusal })
    for (const authorization of ['', 'Bearer', 'Basic dTpw', `Token ${running.token()}`]) {
      const answer = await running.call('GET', '/v1/destinations/d', { headers: { authorization } })
      expect(answer).toMatchObject({ status: 401, json: refusal })
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
    expect(await running.call('GET', '/v1/destinations/d', { token: 'not-a-jwt' })).toMatchObject({
      status: 401,
      json: { ErrorMessage: 'Unable to parse the JWT in Authorization Header.' },
    })
  })

  it('CL-112 answers 401 to foreign tokens, 403 to tokens without right, and 4xx to everything that callers do wrong', async () => {
    const { createTestIssuer } = await import('@sallyport/test-fixtures')
    const foreign = createTestIssuer({ clientId, issuer: running.issuer.issuer, nowMs: running.clock.now })
    const unknownIssuer = createTestIssuer({ clientId, issuer: 'https://evil.example/oauth/token', nowMs: running.clock.now })
    const expired = running.token({ claims: { exp: Math.floor(running.clock.now() / 1000) - 10 } })
    for (const token of [foreign.technical(), unknownIssuer.technical(), expired, `${running.token().slice(0, -4)}AAAA`]) {
      expect((await running.call('GET', '/v1/destinations/d', { token })).status).toBe(401)
    }
    const withoutRight = [
      running.token({ client: 'sb-connectivity!b1' }),
      running.token({ claims: { cid: undefined, client_id: undefined, azp: undefined } }),
      // An ID token, which applications hand to browsers.
      running.token({ claims: { cid: undefined, client_id: undefined } }),
      running.token({ claims: { ext_attr: { subaccountid: providerSubaccount, serviceinstanceid: otherInstanceId } } }),
      running.token({ claims: { zid: undefined, ext_attr: { enhancer: 'XSUAA' } } }),
    ]
    for (const token of withoutRight) {
      for (const path of ['/v1/destinations/d', '/v2/destinations/d', '/v1/subaccountDestinations', '/v1/instanceDestinations/d']) {
        expect(await running.call('GET', path, { token })).toMatchObject({ status: 403, json: refusal })
      }
      expect((await running.call('POST', '/v1/subaccountDestinations', { token, body: http('d', 'http://x') })).status).toBe(403)
    }
    expect((await running.call('POST', '/v1/subaccountDestinations', { body: '{' })).status).toBe(400)
  })

  it('decides before it reads the body', async () => {
    const answer = await running.call('POST', '/v1/subaccountDestinations', { token: 'x', body: '{' })
    expect(answer.status).toBe(401)
  })

  it('takes the instance from the registry when the token names none, and the right one when it does', async () => {
    await store('instance', http('d', 'http://si'))
    for (const serviceinstanceid of ['', instanceId]) {
      const token = running.token({ claims: { ext_attr: { enhancer: 'XSUAA', subaccountid: providerSubaccount, serviceinstanceid } } })
      expect(await urlOf('/v1/destinations/d', token)).toBe('http://si')
    }
  })
})
