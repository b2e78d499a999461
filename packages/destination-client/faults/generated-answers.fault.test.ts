import { inspect } from 'node:util'
import { ConnectivityError, createSecret } from '@sallyport/core'
import { createHttpBackend, createManualClock, type HttpAnswer, type HttpBackend } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDestinationClient } from '../src/index.ts'
import { parseFoundDestination } from '../src/found-destination.ts'

const secret = 'Kaennchen-Tee-4711'
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('', '0', '-1', 'NaN', '1e999', '__proto__'))
const anything = fc.oneof(text, fc.jsonValue({ maxDepth: 2 }))
const property = fc.constantFrom(
  'Name',
  'Type',
  'URL',
  'ProxyType',
  'Authentication',
  'User',
  'Password',
  'clientSecret',
  'KeyStoreLocation',
  'KeyStorePassword',
  'ldap.url',
  'ldap.proxyType',
  'ldap.authentication',
  'mail.smtp.host',
  'mail.smtp.port',
  'jco.client.ashost',
  'Address',
  'tcp.socket.timeout',
  '__proto__',
  'constructor',
)
const configuration = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom('HTTP', 'RFC', 'LDAP', 'MAIL', 'TCP'),
        fc.constantFrom('NoAuthentication', 'BasicAuthentication', 'OAuth2ClientCredentials', 'PrincipalPropagation'),
        fc.dictionary(property, anything, { maxKeys: 6 }),
      )
      .map(([Type, Authentication, more]) => ({ Name: 'd', URL: 'http://x', ProxyType: 'Internet', Authentication, ...more, Type }))
      // What is secret is known by its name.
      .map((properties) =>
        Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, /password|secret/i.test(name) ? secret : value])),
      ),
  },
  { weight: 1, arbitrary: anything },
)
const token = fc.record(
  {
    type: anything,
    value: anything,
    http_header: fc.oneof(fc.record({ key: fc.oneof(fc.constant('Authorization'), anything), value: anything }), anything),
    expires_in: fc.oneof(fc.integer().map(String), anything),
    error: fc.oneof(fc.constantFrom(undefined, null), anything),
  },
  { requiredKeys: [] },
)
const answer: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        owner: fc.oneof(fc.record({ SubaccountId: anything, InstanceId: anything }), anything),
        destinationConfiguration: configuration,
        authTokens: fc.oneof(fc.array(token, { maxLength: 3 }), anything),
        certificates: fc.oneof(fc.array(fc.record({ Name: anything, Content: anything, Type: anything }), { maxLength: 2 }), anything),
      },
      { requiredKeys: ['destinationConfiguration'] },
    ),
  },
  { weight: 1, arbitrary: anything },
)

/** What is wrong with an error: it is none of ours, or has no end. */
function faultsOf(error: unknown): readonly string[] {
  if (!ConnectivityError.is(error)) return [`a defect: ${inspect(error)}`]
  return error.message.length > 2_000 ? ['endless'] : []
}

/** What is wrong with what becomes of an answer; `parsed` when it became a destination. */
function judged(body: unknown): { readonly parsed: boolean; readonly faults: readonly string[] } {
  try {
    const { destination, credentials, secrets } = parseFoundDestination(body, 0, 'find')
    const entries = Object.entries(destination.properties)
    const faults = [
      ...(entries.every(([, value]) => typeof value === 'string') ? [] : ['a property is no text']),
      ...entries.flatMap(([name]) => (/password|clientSecret/i.test(name) ? [`${name} among the properties`] : [])),
      ...(credentials.kind === 'header' && typeof credentials.value.reveal() !== 'string' ? ['a header without a value'] : []),
      ...(inspect([destination, credentials, secrets], { depth: 9, showHidden: true }).includes(secret) ? ['a secret can be seen'] : []),
    ]
    return { parsed: true, faults }
  } catch (error) {
    return { parsed: false, faults: faultsOf(error) }
  }
}

describe('answers that no destination service should give', () => {
  it('become a destination, or one of our errors', () => {
    let parsed = 0
    for (const body of fc.sample(answer, 5_000)) {
      const outcome = judged(JSON.parse(JSON.stringify(body)))
      expect({ body, faults: outcome.faults }).toEqual({ body, faults: [] })
      if (outcome.parsed) parsed++
    }
    expect(parsed).toBeGreaterThan(200)
  })
})

describe('on the wire', () => {
  let backend: HttpBackend
  let tokenAnswer: HttpAnswer
  let findAnswer: HttpAnswer
  const good = (body: unknown): HttpAnswer => ({ status: 200, body: JSON.stringify(body) })
  beforeAll(async () => {
    backend = await createHttpBackend({ answer: ({ target }) => (target === '/oauth/token' ? tokenAnswer : findAnswer) })
  })
  afterAll(() => backend[Symbol.asyncDispose]())

  const wire = fc.record({
    status: fc.oneof(
      { weight: 3, arbitrary: fc.constant(200) },
      { weight: 1, arbitrary: fc.constantFrom(201, 204, 301, 400, 401, 403, 404, 422) },
    ),
    body: fc.oneof(
      answer.map((value) => JSON.stringify(value)),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .record({ access_token: anything, token_type: fc.oneof(fc.constant('bearer'), anything), expires_in: anything, error: anything })
        .map((value) => JSON.stringify(value)),
    ),
  })

  it('neither they nor those of a token service end in anything but an outcome', async () => {
    const clock = createManualClock()
    for (const [at, { status, body }] of fc.sample(wire, 1_000).entries()) {
      // Half of them in the place of the one, half in that of the other; every client is new, so that nothing is remembered.
      const made = { status, body: status === 204 ? '' : body }
      tokenAnswer = at % 2 === 0 ? made : good({ access_token: 'service-token', token_type: 'bearer', expires_in: 60 })
      findAnswer = at % 2 === 0 ? good({ destinationConfiguration: { Name: 'd', Type: 'HTTP', URL: 'http://x' } }) : made
      const client = createDestinationClient({
        binding: {
          uri: new URL(backend.url),
          client: {
            clientId: 'c',
            proof: { kind: 'secret', secret: createSecret(secret) },
            tokenUrl: new URL('/oauth/token', backend.url),
            domain: undefined,
          },
        },
        clock,
      })
      const faults = await client.find('d').then(
        () => [],
        (error: unknown) => [
          ...faultsOf(error),
          ...(/service-token|Kaennchen/.test(inspect(error, { depth: 9, showHidden: true })) ? ['a secret can be seen'] : []),
        ],
      )
      expect({ made, faults }).toEqual({ made, faults: [] })
      await client[Symbol.asyncDispose]()
    }
  }, 60_000)
})
