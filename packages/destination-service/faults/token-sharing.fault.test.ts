import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOutgoing } from '../src/index.ts'
import { type RunningService, startService } from '../conformance/running-service.ts'
import { startTokenServer, type TokenServer } from '../conformance/token-server.ts'

const subaccounts = ['11111111-2222-3333-4444-555555555555', 'subscriber-a', 'subscriber-b'] as const
const users = ['jane', 'joe'] as const
const fragments = ['', 'f1', 'f2', 'f1,f2', 'f2,f1'] as const
const tenants = ['acme', 'buyer'] as const
const assertions = ['a.b.c', 'x.y.z'] as const

let running: RunningService
let tokenServer: TokenServer
let userTokens: ReadonlyMap<string, string>
beforeAll(async () => {
  tokenServer = await startTokenServer()
  // The token says what it was issued for, so that whoever gets another one's is found out.
  tokenServer.answer((call, response) => {
    const value = Buffer.from(JSON.stringify([call.host, call.url, [...call.form]])).toString('base64url')
    response.writeHead(200).end(JSON.stringify({ access_token: value, token_type: 'bearer', expires_in: 3_600 }))
  })
  running = await startService({
    outgoing: createOutgoing({ privateAddresses: 'allow', resolve: async () => [{ address: '127.0.0.1', family: 4 }] }),
  })
  const common = { Type: 'HTTP', URL: 'http://x', clientId: 'c', clientSecret: 's' }
  for (const subaccount of subaccounts) {
    const token = running.token({ subaccount })
    const url = `http://auth.test:${tokenServer.port}/token`
    const entities: readonly (readonly [string, Record<string, string>])[] = [
      ['Destinations', { ...common, Name: 'jwt', Authentication: 'OAuth2JWTBearer', tokenServiceURL: `${url}?of=${subaccount}` }],
      [
        'Destinations',
        {
          ...common,
          Name: 'cc',
          Authentication: 'OAuth2ClientCredentials',
          tokenServiceURLType: 'Common',
          tokenServiceURL: `${url}?of=${subaccount}`,
        },
      ],
      // Nothing in these names the subaccount: only the key of the cache can keep them apart.
      ['Destinations', { ...common, Name: 'same', Authentication: 'OAuth2ClientCredentials', tokenServiceURL: url }],
      ['DestinationFragments', { FragmentName: 'f1', scope: 'one' }],
      ['DestinationFragments', { FragmentName: 'f2', scope: 'two', 'tokenService.body.extra': 'e' }],
    ]
    for (const [kind, body] of entities) {
      // oxlint-disable-next-line no-await-in-loop -- a handful
      const { status } = await running.call('POST', `/v1/subaccount${kind}`, { body, token })
      if (status !== 201) throw new Error(`status ${status}`)
    }
  }
  userTokens = new Map(users.map((name) => [name, running.issuer.user(name)]))
})
afterAll(async () => {
  await running.close()
  await tokenServer.close()
})

const lookUp = fc.record({
  subaccount: fc.constantFrom(...subaccounts),
  name: fc.constantFrom('jwt', 'cc'),
  user: fc.constantFrom(...users),
  fragment: fc.constantFrom(...fragments),
  tenant: fc.constantFrom(...tenants),
  assertion: fc.option(fc.constantFrom(...assertions), { nil: undefined }),
  pauseMs: fc.constantFrom(0, 0, 0, 1_000),
})

describe('remembered tokens', () => {
  it('DS-081 are those of the same subaccount, user, tenant, fragments and assertion, however look-ups follow each other', async () => {
    let finds = 0
    await fc.assert(
      fc.asyncProperty(fc.array(lookUp, { minLength: 5, maxLength: 20 }), async (sequence) => {
        for (const { subaccount, name, user, fragment, tenant, assertion, pauseMs } of sequence) {
          if (pauseMs > 0) running.clock.advance(pauseMs)
          const headers = {
            ...(fragment === '' ? {} : { 'x-fragment-name': fragment }),
            ...(name === 'jwt' ? { 'x-user-token': userTokens.get(user) ?? '' } : { 'x-tenant': tenant }),
            ...(name === 'cc' && assertion !== undefined
              ? { 'x-client-assertion': assertion, 'x-client-assertion-type': 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }
              : {}),
          }
          // oxlint-disable-next-line no-await-in-loop -- the order matters
          const { json } = await running.call('GET', `/v1/destinations/${name}`, { token: running.token({ subaccount }), headers })
          finds++
          const [entry] = (json as { authTokens: { value: string; error?: string }[] }).authTokens
          expect(entry?.error).toBeUndefined()
          const [host, url, form] = JSON.parse(Buffer.from(entry?.value ?? '', 'base64url').toString('utf8')) as [
            string,
            string,
            [string, string][],
          ]
          const said = Object.fromEntries(form)
          expect(url).toBe(`/token?of=${subaccount}`)
          expect(host).toBe(`${name === 'cc' ? `${tenant}.` : ''}auth.test:${tokenServer.port}`)
          expect(said['assertion']).toBe(name === 'jwt' ? userTokens.get(user) : undefined)
          expect(said['client_assertion']).toBe(name === 'cc' ? assertion : undefined)
          expect(said['scope']).toBe({ '': undefined, f1: 'one', f2: 'two', 'f1,f2': 'two', 'f2,f1': 'one' }[fragment])
          expect(said['extra']).toBe(fragment.includes('f2') ? 'e' : undefined)
        }
      }),
      { numRuns: 60, interruptAfterTimeLimit: 12_000 },
    )
    // Remembered at all: far fewer calls than look-ups.
    expect(tokenServer.calls.length).toBeLessThan(finds / 2)
  })

  it('DS-081 are never those of another subaccount, although every byte of the call is the same', async () => {
    tokenServer.calls.splice(0)
    for (const subaccount of subaccounts) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await running.call('GET', '/v1/destinations/same', { token: running.token({ subaccount }) })
      // oxlint-disable-next-line no-await-in-loop -- as above
      await running.call('GET', '/v1/destinations/same', { token: running.token({ subaccount }) })
    }
    expect(tokenServer.calls).toHaveLength(subaccounts.length)
  })
})
