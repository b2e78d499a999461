import { maxStreamMessageBytes } from '@sallyport/core'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { TrustedIssuer } from './messages.ts'
import { tryParseControlFromServer } from './parse-messages.ts'
import { exposedMessages, mergeIssuers, splitForMessages, trustMessages } from './split-message.ts'

it('splits any list into messages that fit, and loses nothing', () => {
  const issuer = fc.record({
    issuer: fc.string({ maxLength: 40 }),
    name: fc.constant('n'),
    type: fc.constantFrom('OIDC' as const, 'OAUTH2' as const),
    keys: fc.array(
      fc.record({ kty: fc.constant('RSA'), kid: fc.string(), n: fc.integer({ min: 1, max: 2_000 }).map((length) => 'n'.repeat(length)) }),
      { maxLength: 20 },
    ),
  })
  fc.assert(
    fc.property(fc.uniqueArray(issuer, { maxLength: 20, selector: (one) => one.issuer }), (issuers) => {
      const messages = trustMessages(issuers)
      const read: TrustedIssuer[] = []
      messages.forEach((bytes, index) => {
        expect(bytes.length).toBeLessThanOrEqual(maxStreamMessageBytes)
        const message = tryParseControlFromServer(bytes)
        if (message?.kind !== 'trust') throw new Error('not a trust message')
        expect(message.more === true).toBe(index < messages.length - 1)
        read.push(...message.issuers)
      })
      expect(mergeIssuers(read)).toEqual(issuers)
    }),
    { numRuns: 60 },
  )
})

it('says an empty list too', () => {
  expect(trustMessages([]).map(String)).toEqual(['{"kind":"trust","issuers":[]}'])
  expect(exposedMessages('d', []).map(String)).toEqual(['{"kind":"exposed","digest":"d","systems":[]}'])
})

it('sends of a key only what verifying needs', () => {
  const key = { kty: 'RSA', n: 'n', e: 'AQAB', d: 'the private exponent', x5c: ['certificate'] }
  expect(String(trustMessages([{ issuer: 'i', name: 'n', type: 'OIDC', keys: [key] }])[0])).not.toMatch(/private|certificate/)
})

it('says so when a single entry is too large', () => {
  expect(() => splitForMessages(['x'.repeat(20_000)])).toThrow(/does not fit/)
})
