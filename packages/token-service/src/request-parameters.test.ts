import { ConnectivityError } from '@sallyport/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseParameters, requestedScopes } from './request-parameters.ts'

describe('parameters', () => {
  it('are decoded as forms are, and what is empty or unknown is left out', () => {
    const parameters = parseParameters('scope=a+b%2Bc&x=1&x=2&&username=', 'password=%C3%A4%00&client_id=sb-app!t1')
    expect(Object.fromEntries(parameters)).toEqual({ scope: 'a b+c', password: 'ä\0', client_id: 'sb-app!t1' })
  })

  it('may come twice with one value', () => {
    expect(parseParameters('scope=a', 'scope=a').get('scope')).toBe('a')
    expect(parseParameters('scope=a&scope=').get('scope')).toBe('a')
  })

  it.each([
    ['two values', 'scope=a&scope=b'],
    ['a broken escape', 'scope=%zz'],
    ['half a character', 'scope=%C3'],
    ['too many', 'a=1&'.repeat(65)],
    ['a name that is too long', `${'a'.repeat(101)}=1`],
    ['a value that is too long', `scope=${'a'.repeat(16_385)}`],
  ])('with %s are refused', (_, text) => {
    expect(() => parseParameters(text)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ status: 400, error: 'invalid_request' }) }),
    )
  })

  it('names of object members are ordinary unknown parameters', () => {
    expect([...parseParameters('__proto__=x&constructor=y&hasOwnProperty=z')]).toEqual([])
  })

  it('any text is read or refused, never anything else, and no refusal repeats it', () => {
    const property = fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      try {
        parseParameters(`assertion=${text}`)
        return true
      } catch (error) {
        return ConnectivityError.is(error, 'TOKEN_NOT_ISSUED') && (text.length < 8 || !String(error).includes(text))
      }
    })
    expect(fc.check(property, { numRuns: 500 })).toMatchObject({ failed: false })
  })

  it('agree with the form parser of the platform on what is well formed', () => {
    const texts = fc.array(
      fc.tuple(fc.constantFrom('scope', 'state', 'username'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })),
      { maxLength: 3 },
    )
    fc.assert(
      fc.property(texts, (pairs) => {
        const unique = [...new Map(pairs)]
        expect([...parseParameters(new URLSearchParams(unique).toString())]).toEqual(unique)
      }),
      { numRuns: 300 },
    )
  })
})

describe('requested scopes', () => {
  it('are a list without repetition; white space alone asks for nothing', () => {
    expect(requestedScopes(new Map([['scope', ' a  b a ']]))).toEqual(['a', 'b'])
    expect(requestedScopes(new Map([['scope', '  ']]))).toBeUndefined()
    expect(requestedScopes(new Map())).toBeUndefined()
  })
  it('are bounded', () => {
    expect(() => requestedScopes(new Map([['scope', Array.from({ length: 101 }, (_, at) => `s${at}`).join(' ')]]))).toThrow(/at most 100/)
    expect(() => requestedScopes(new Map([['scope', 'x'.repeat(257)]]))).toThrow(/256 characters/)
  })
})
