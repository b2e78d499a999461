import { describe, expect, it } from 'vitest'
import { checkFragment } from './index.ts'

const strict = { strictNames: true }

describe('a fragment', () => {
  it('keeps every property as a text and takes out the flag of its zone', () => {
    const value = { FragmentName: 'f', URL: 'http://x', Port: 8080, On: true, $metadata: { shared_with_subscriber: true } }
    expect(checkFragment(value, strict)).toEqual({
      valid: true,
      input: { properties: { FragmentName: 'f', URL: 'http://x', Port: '8080', On: 'true' }, sharedWithSubscriber: true },
    })
  })

  it.each([
    [{ FragmentName: 'f', Name: 'n' }, 'A fragment must not have the property "Name"'],
    [{ FragmentName: 'f', Type: null }, 'A fragment must not have the property "Type"'],
    [{ URL: 'http://x' }, 'Property "FragmentName" is missing'],
    [{ FragmentName: 'f@subaccount' }, 'Property "FragmentName" must have 1 to 200 characters out of letters, digits, "_" and "-"'],
    [{ FragmentName: 'f'.repeat(201) }, 'Property "FragmentName" must have 1 to 200 characters out of letters, digits, "_" and "-"'],
    [{ FragmentName: 'f', a: null }, 'Property "a" must be a string, number or boolean'],
    [[], 'A fragment must be a JSON object'],
    [null, 'A fragment must be a JSON object'],
  ])('is refused when it is %j', (value, problem) => {
    expect(checkFragment(value, strict)).toMatchObject({ valid: false, problem })
  })
})
