import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningService, startService } from '../conformance/running-service.ts'
import { startTokenServer, type TokenServer } from '../conformance/token-server.ts'

const secret = 'Kaennchen-Tee-4711'
const collection = '/v1/subaccountDestinations'
let running: RunningService
let tokenServer: TokenServer

beforeAll(async () => {
  tokenServer = await startTokenServer()
  running = await startService()
  const guarded = { Name: 'guarded', Type: 'HTTP', URL: 'http://x', Authentication: 'BasicAuthentication', User: 'u', Password: secret }
  await running.call('POST', '/v1/subaccountDestinations', { body: guarded, token: running.token({ subaccount: 'victim' }) })
  await running.call('POST', '/v1/instanceDestinations', { body: guarded, token: running.token({ subaccount: 'victim' }) })
})
afterAll(async () => {
  await running.close()
  await tokenServer.close()
})

const runs = { numRuns: 120, interruptAfterTimeLimit: 8_000 }
/** What is wrong with an answer, whatever was sent: a defect, another tenant's secret, or a refusal without reason. */
function faultsOf(answer: { readonly status: number; readonly text: string; readonly json: unknown }): string[] {
  const explained = typeof (answer.json as { ErrorMessage?: unknown } | undefined)?.ErrorMessage === 'string'
  return [
    ...(answer.status >= 500 ? [`status ${answer.status}`] : []),
    ...(answer.text.includes(secret) ? ['leak'] : []),
    ...(answer.status >= 400 && !explained && !Array.isArray(answer.json) ? ['unexplained'] : []),
  ]
}

const unusual = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    '',
    '.',
    '..',
    '%',
    '%00',
    '%2f',
    "'",
    "''",
    '"',
    '\\',
    '__proto__',
    'constructor',
    'toString',
    'null',
    '@',
    '@subaccount',
    '*',
    '$',
    '\u0000',
    '\ufeff',
    'x'.repeat(300),
  ),
)
const headerText = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e\x80-\xff]{0,60}[\x21-\x7e])?$/)

describe('hostile input never makes a 500, a hang or a leak', () => {
  it('as a body', async () => {
    const property = fc.oneof(
      unusual,
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(unusual, { maxLength: 2 }),
      fc.dictionary(unusual, unusual, { maxKeys: 2 }),
    )
    const destination = fc.record(
      {
        Name: fc.oneof(fc.constantFrom('a', 'b'), unusual),
        Type: fc.oneof(fc.constant('HTTP'), unusual),
        URL: unusual,
        Authentication: unusual,
        $metadata: property,
      },
      { requiredKeys: [] },
    )
    const body = fc.oneof(
      fc.json({ maxDepth: 4 }),
      unusual,
      fc
        .tuple(destination, fc.dictionary(unusual, property, { maxKeys: 4 }))
        .map(([known, other]) => JSON.stringify({ ...other, ...known })),
      fc.array(destination, { maxLength: 4 }).map((items) => JSON.stringify(items)),
      fc.constantFrom('['.repeat(100_000), '{"a":'.repeat(50_000), '{"Name":"a","Name":"b","Type":"HTTP"}', '\ufeff{}', '1e999', '-0'),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('POST', 'PUT', 'DELETE'),
        fc.constantFrom(collection, '/v1/instanceDestinations'),
        body,
        async (method, path, text) => {
          expect(faultsOf(await running.call(method, path, { body: text }))).toEqual([])
          // Whatever was stored comes back as texts.
          for (const item of (await running.call('GET', collection)).json as Record<string, unknown>[]) {
            expect(Object.values(item).every((value) => typeof value === 'string')).toBe(true)
          }
        },
      ),
      runs,
    )
  })

  it('as a name in the path', async () => {
    const prefix = fc.constantFrom('/v1/destinations/', '/v2/destinations/', `${collection}/`, '/v1/instanceDestinations/')
    await fc.assert(
      fc.asyncProperty(prefix, fc.constantFrom('GET', 'DELETE'), unusual, fc.boolean(), async (path, method, name, encoded) => {
        const written = encoded && name.isWellFormed() ? encodeURIComponent(name) : name.replace(/[^\x21-\x7e]|[#?]/g, '%')
        const answer = await running.call(method, path + (written === '' ? '%20' : written))
        expect(faultsOf(answer)).toEqual([])
      }),
      runs,
    )
  })

  it('as a query', async () => {
    const key = fc.oneof(
      fc.constantFrom(
        '$filter',
        '$select',
        '$page',
        '$pageSize',
        '$pageCount',
        '$entityCount',
        '$includeMetadata',
        '$skipCredentials',
        '$skipTokenRetrieval',
      ),
      unusual,
    )
    const quoted = unusual.map((text) => `'${text}'`)
    const value = fc.oneof(
      unusual,
      fc.integer().map(String),
      quoted.map((text) => `Name in (${text})`),
      quoted.map((text) => `startswith(Name, ${text})`),
      quoted.map((text) => `modifiedwithin(${text}, 'minutes')`),
      fc.constantFrom(
        `Name in (${"'a',".repeat(300)}'a')`,
        `startswith(Name, '${"''".repeat(500)}`,
        `Name in (${' '.repeat(1_000)}`,
        `endswith(Name,${"'".repeat(1_000)}`,
      ),
    )
    const pairs = fc.array(fc.tuple(key, value), { maxLength: 3 })
    const path = fc.constantFrom(collection, '/v1/destinations/guarded', '/v2/destinations/guarded')
    await fc.assert(
      fc.asyncProperty(path, fc.constantFrom('GET', 'DELETE'), pairs, async (to, method, parameters) => {
        const started = performance.now()
        const answer = await running.call(
          method,
          `${to}?${new URLSearchParams(parameters.map(([name, text]): [string, string] => [name.toWellFormed(), text.toWellFormed()]))}`,
        )
        expect(faultsOf(answer)).toEqual([])
        expect(performance.now() - started).toBeLessThan(2_000)
      }),
      runs,
    )
  })

  it('as headers', async () => {
    const oauth = {
      Name: 'oauth',
      Type: 'HTTP',
      URL: 'http://x',
      Authentication: 'OAuth2ClientCredentials',
      clientId: 'c',
      clientSecret: secret,
      tokenServiceURLType: 'Common',
      tokenServiceURL: `http://127.0.0.1:${tokenServer.port}/{tenant}/token`,
    }
    await running.call('POST', collection, { body: oauth })
    const names = fc.constantFrom(
      'x-tenant',
      'x-user-token',
      'x-fragment-name',
      'x-fragment-optional',
      'x-chain-name',
      'x-client-assertion',
      'x-client-assertion-type',
      'if-match',
      'if-none-match',
      'x-request-id',
      'accept',
      'x-vcap-request-id',
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, headerText, { maxKeys: 3 }), async (headers) => {
        const { status, text, json } = await running.call('GET', '/v1/destinations/oauth?$skipCredentials=true', { headers })
        expect(faultsOf({ status, text, json })).toEqual([])
        for (const call of tokenServer.calls.splice(0)) expect(call.host).toBe(`127.0.0.1:${tokenServer.port}`)
      }),
      runs,
    )
  })

  it('as a token', async () => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = fc.record(
      {
        zid: unusual,
        cid: unusual,
        iss: unusual,
        exp: fc.oneof(fc.double(), unusual),
        ext_attr: fc.oneof(unusual, fc.record({ subaccountid: fc.constant('victim') })),
      },
      { requiredKeys: [] },
    )
    const forged = fc
      .tuple(fc.record({ alg: fc.constantFrom('none', 'RS256', 'HS256', 'ES256'), kid: unusual }), claims, headerText)
      .map(([header, payload, signature]) => `${part(header)}.${part(payload)}.${signature}`)
    const token = fc.oneof(forged, headerText, fc.constant(`${running.token({ subaccount: 'victim' })}x`))
    await fc.assert(
      fc.asyncProperty(
        token,
        fc.constantFrom('/v1/destinations/guarded', '/v2/destinations/guarded@subaccount', collection),
        async (text, path) => {
          const answer = await running.call('GET', path, { token: text })
          expect(faultsOf(answer)).toEqual([])
          expect([400, 401, 403]).toContain(answer.status)
        },
      ),
      runs,
    )
  })

  it('as claims of a token that is signed well', async () => {
    const id = fc.oneof(unusual, fc.constantFrom('', 'sub', null, 7, ['victim'], { a: 1 }))
    const claims = fc.record(
      {
        zid: id,
        cid: id,
        client_id: id,
        azp: id,
        app_tid: id,
        user_name: id,
        ext_attr: fc.oneof(id, fc.dictionary(fc.constantFrom('subaccountid', 'serviceinstanceid', 'zdn'), id)),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(
        claims,
        fc.constantFrom('/v1/destinations/guarded', '/v2/destinations/guarded@provider_subaccount', '/v1/instanceDestinations'),
        async (given, path) => {
          expect(faultsOf(await running.call('GET', path, { token: running.issuer.technical(given) }))).toEqual([])
        },
      ),
      runs,
    )
  })

  it('in a destination that is then looked up', async () => {
    const text = fc.oneof(
      unusual,
      fc.constantFrom(
        'http://',
        'http://[',
        'http://{tenant}',
        'https://a b/',
        `http://127.0.0.1:${tokenServer.port}/`,
        'TRUE',
        'Common',
        'OnPremise',
        'Internet',
      ),
    )
    const keys = fc.constantFrom(
      'tokenServiceURL',
      'tokenServiceURLType',
      'tokenServiceURL.ProxyType',
      'clientId',
      'clientSecret',
      'tokenServiceUser',
      'tokenServicePassword',
      'scope',
      'tokenService.body.a',
      'tokenServiceURL.headers.a',
      'tokenServiceURL.queries.a',
      'tokenServiceURL.headers.',
      'TrustAll',
      'tokenServiceURL.SocketReadTimeoutInSeconds',
      'ProxyType',
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(keys, text), async (properties) => {
        const body = { ...properties, Name: 'looked-up', Type: 'HTTP', Authentication: 'OAuth2ClientCredentials' }
        await running.call('DELETE', `${collection}/looked-up`)
        expect(faultsOf(await running.call('POST', collection, { body }))).toEqual([])
        expect(faultsOf(await running.call('GET', '/v1/destinations/looked-up', { headers: { 'x-tenant': 'acme' } }))).toEqual([])
      }),
      { ...runs, numRuns: 60 },
    )
  })

  it('and nothing secret has come into the log', async () => {
    await running.call('POST', collection, {
      body: { Name: 'l', Type: 'HTTP', Authentication: 'BasicAuthentication', User: 'u', Password: secret },
    })
    await running.call('GET', '/v1/destinations/l')
    expect(running.logged.length).toBeGreaterThan(100)
    const log = running.logged.join('\n')
    expect(log).not.toContain(secret)
    expect(log).not.toContain(running.token().split('.')[0] ?? '')
    expect(log).not.toContain('"level":"error"')
  })
})
