import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { createTestCa } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSignedBy, readAssertion } from '../conformance/saml-assertion.ts'
import { formatAssertion } from '../src/authentication/saml/assertion.ts'
import { attributesOf } from '../src/authentication/saml/attributes.ts'
import { selectByPath } from '../src/authentication/saml/json-path.ts'
import { signAssertion } from '../src/authentication/saml/signature.ts'
import { userIdOf } from '../src/authentication/saml/user-id.ts'

const identity = createTestCa().issue({ subject: '/CN=signer', keyType: 'rsa' })
const signer = { privateKey: createPrivateKey(identity.key), certificate: identity.certificate }

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '',
    '</saml2:NameID>',
    '<!DOCTYPE x [<!ENTITY y "z">]>&y;',
    ']]>',
    '&#0;',
    '\r\n',
    '\u2028',
    '\ud800',
    '<?xml version="1.0"?>',
    '--><!--',
  ),
)
// oxlint-disable-next-line no-control-regex -- XML 1.0 §2.2
const carries = (value: string): boolean => value.isWellFormed() && !/[\0-\x08\x0b-\x1f\x7f\x85\u2028\ufffe\uffff]/.test(value)

/** What a target reads, or `undefined` for what was refused. */
function written(name: string, attribute: string): ReturnType<typeof readAssertion> | undefined {
  try {
    const xml = formatAssertion({
      id: '_1',
      issuer: name,
      nameId: { value: name, format: 'f', qualifier: undefined },
      recipient: 'r',
      audience: 'a',
      authnContextClassRef: 'c',
      attributes: [{ name: 'n', values: [attribute] }],
      issuedAtMs: 0,
      notBeforeMs: 0,
      notOnOrAfterMs: 1,
    })
    return readAssertion(Buffer.from(signAssertion(xml, signer, { withCertificate: false })).toString('base64'))
  } catch (error) {
    if (!ConnectivityError.is(error)) throw error
    return undefined
  }
}

describe('assertions about strange users', () => {
  it('say exactly what they were told, or are refused', () => {
    fc.assert(
      fc.property(text, text, (name, attribute) => {
        const assertion = written(name, attribute)
        expect(assertion !== undefined).toBe(carries(name) && carries(attribute))
        if (assertion === undefined) return
        expect(assertion.text('Issuer') ?? '').toBe(name)
        expect(assertion.text('NameID') ?? '').toBe(name)
        expect(assertion.attributes).toEqual({ n: [attribute] })
        expect(isSignedBy(assertion.xml, identity.certificate)).toBe(true)
      }),
      { numRuns: 400, interruptAfterTimeLimit: 9_000 },
    )
  })

  it('hold nothing but texts, whatever the token service tells', () => {
    const properties = fc.record({
      skipUserAttributesPrefixInSAMLAttributes: fc.constantFrom('true', 'false', ''),
      skipUserUuidInSAMLAttributes: fc.constantFrom('true', 'TRUE', 'x'),
      clientKey: text,
    })
    const info = fc.dictionary(
      fc.oneof(fc.constantFrom('user_attributes', 'user_uuid', '__proto__', 'Groups'), text),
      fc.jsonValue({ maxDepth: 4 }),
      { maxKeys: 8 },
    )
    const claims = fc.record(
      {
        'xs.system.attributes': fc.jsonValue(),
        user_attributes: fc.oneof(fc.jsonValue(), fc.record({ 'xs.saml.groups': fc.jsonValue() })),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(properties, claims, info, (more, token, told) => {
        const attributes = attributesOf({ Name: 'd', Type: 'HTTP', ...more }, token, told)
        for (const { name, values } of attributes) {
          expect(typeof name).toBe('string')
          expect(values.length).toBeGreaterThan(0)
          expect(values.every((value) => typeof value === 'string')).toBe(true)
        }
        const skipped = more.skipUserUuidInSAMLAttributes !== 'x'
        expect(skipped && attributes.some(({ name }) => name === 'user_uuid')).toBe(false)
      }),
      { numRuns: 2_000 },
    )
  })

  it('are refused when they grow without end', () => {
    expect(() => attributesOf({ Name: 'd', Type: 'HTTP' }, {}, { many: Array.from({ length: 1_001 }, String) })).toThrow(
      /1000 attribute values/,
    )
  })

  it('are refused when they are nested without end', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown
    expect(() => attributesOf({ Name: 'd', Type: 'HTTP' }, {}, { deep: [deep] })).toThrow(/nested too deeply/)
  })

  it('are not signed with keys that are too small', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    expect(() => signAssertion('<a><Issuer/></a>', { privateKey, certificate: '' }, { withCertificate: true })).toThrow(
      /at least 2048 bits/,
    )
  })

  it('are signed with RSA and elliptic curves only', () => {
    const { privateKey } = generateKeyPairSync('x25519')
    expect(() => signAssertion('<a/>', { privateKey, certificate: '' }, { withCertificate: true })).toThrow(ConnectivityError)
  })
})

function idOf(token: Readonly<Record<string, unknown>>, userIdSource: string, info: unknown): string | ConnectivityError {
  try {
    return userIdOf({ Name: 'd', Type: 'HTTP', userIdSource }, token, { user_attributes: info })
  } catch (error) {
    if (ConnectivityError.is(error, 'TOKEN_INVALID')) return error
    throw error
  }
}

describe('user ids', () => {
  const claims = fc.dictionary(fc.oneof(fc.constantFrom('user_name', 'email', 'a', '__proto__'), text), fc.jsonValue({ maxDepth: 3 }), {
    maxKeys: 6,
  })
  const step = fc.constantFrom(
    '.a',
    "['a']",
    '["a"]',
    ".['a']",
    '[0]',
    '[-1]',
    '[*]',
    '.*',
    '..a',
    '[?(@.a)]',
    '[0:1]',
    '.__proto__',
    ".['constructor']",
    "['",
    '\\',
    '',
  )
  const path = fc.oneof(
    fc.array(step, { maxLength: 12 }).map((steps) => `$${steps.join('')}`),
    text,
    text.map((other) => `$${other}`),
  )

  it('are texts, or cannot be determined, whatever the source says', () => {
    fc.assert(
      fc.property(claims, path, claims, (token, userIdSource, info) => {
        const outcome = idOf(token, userIdSource, info)
        expect(typeof outcome === 'string' ? outcome.length > 0 : outcome.message === 'user ID could not be determined').toBe(true)
      }),
      { numRuns: 4_000 },
    )
  })

  it('never come from what every object inherits', () => {
    for (const source of ['toString', '$.constructor', '$.__proto__.x', "$['hasOwnProperty']"]) {
      expect(() => userIdOf({ Name: 'd', Type: 'HTTP', userIdSource: source }, {}, {})).toThrow('user ID could not be determined')
    }
  })

  it('are looked for in bounded time', () => {
    const wide = JSON.parse(`${'['.repeat(60)}${'1,'.repeat(50_000)}1${']'.repeat(60)}`) as unknown
    const started = performance.now()
    for (const hostile of [
      `$${'[*]'.repeat(300)}`,
      `$['${"\\'".repeat(400)}`,
      `$${'.a'.repeat(400)}`,
      `$${'['.repeat(900)}`,
      `$.${'a'.repeat(5_000)}`,
    ])
      selectByPath(wide, hostile)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
