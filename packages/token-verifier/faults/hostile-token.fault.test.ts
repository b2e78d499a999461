import { createFixedKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import { createManualClock, createTestIssuer } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'

const clock = createManualClock()
const issuer = createTestIssuer({ nowMs: () => clock.now() })
const verifier = createTokenVerifier({
  keys: createFixedKeySource([{ issuer: issuer.issuer, keys: issuer.keys }]),
  clock,
  expiryToleranceSeconds: 0,
  notBeforeToleranceSeconds: 60,
  maxCachedTokens: 10,
  maxTokenBytes: 8192,
})
const part = (text: string): string => Buffer.from(text).toString('base64url')

it('answers any text with a refusal and without throwing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.base64String().map((text) => `${text}.${text}.${text}`),
      ),
      async (text) => {
        expect(verifier.peek(text)).toBeUndefined()
        expect(await verifier.verify(text)).toMatchObject({ valid: false })
        verifier.decode(text)
      },
    ),
    { numRuns: 500 },
  )
})

it('answers any header and payload without a valid signature with a refusal', async () => {
  const header = fc.oneof(fc.json(), fc.constant('{"alg":"RS256","kid":"key-1"}'))
  const payload = fc.oneof(
    fc.json(),
    fc
      .dictionary(fc.constantFrom('iss', 'exp', 'scope', 'aud', 'email', 'ext_attr', '__proto__'), fc.jsonValue())
      .map((claims) => JSON.stringify(claims)),
    fc.jsonValue().map((value) => JSON.stringify({ iss: issuer.issuer, exp: 4e9, ext_attr: { enhancer: 'XSUAA' }, email: value })),
  )
  await fc.assert(
    fc.asyncProperty(header, payload, fc.base64String(), async (head, body, signature) => {
      const text = `${part(head)}.${part(body)}.${Buffer.from(signature).toString('base64url')}`
      expect(await verifier.verify(text)).toMatchObject({ valid: false })
      verifier.decode(text)
    }),
    { numRuns: 500 },
  )
})

it('refuses a genuine token after any single change', async () => {
  const token = issuer.user('jane')
  expect(await verifier.verify(token)).toMatchObject({ valid: true })
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ '
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...alphabet.split('')), async (position, character) => {
      fc.pre(token[position] !== character)
      const changed = token.slice(0, position) + character + token.slice(position + 1)
      expect(verifier.peek(changed)).toBeUndefined()
      expect(await verifier.verify(changed)).toMatchObject({ valid: false })
    }),
    { numRuns: 300 },
  )
})
