import { describe, expect, it } from 'vitest'
import { checkDestination, destinationInputSchema, isEntityName } from './index.ts'

const strict = { strictNames: true }

describe('checking a destination', () => {
  it('turns scalars into texts and takes the metadata out', () => {
    const given = { Name: 'a', Type: 'HTTP', n: 1, b: false, $metadata: { shared_with_subscriber: 'TRUE', etag: 'x' } }
    expect(checkDestination(given, strict)).toEqual({
      valid: true,
      input: { properties: { Name: 'a', Type: 'HTTP', n: '1', b: 'false' }, sharedWithSubscriber: true },
    })
  })

  it('keeps properties that carry names of built-in ones as ordinary properties', () => {
    const given = JSON.parse('{"Name":"a","Type":"TCP","constructor":"x","hasOwnProperty":"y","toString":"z"}') as unknown
    expect(checkDestination(given, strict)).toMatchObject({ valid: true, input: { properties: { constructor: 'x', toString: 'z' } } })
    expect(checkDestination(JSON.parse('{"Name":"a","Type":"TCP","__proto__":"x"}'), strict)).toMatchObject({ valid: false })
  })

  it('names the destination and the property that is wrong', () => {
    expect(checkDestination({ Name: 'a', Type: 'HTTP', URL: null }, strict)).toEqual({
      valid: false,
      name: 'a',
      problem: 'Property "URL" must be a string, number or boolean',
    })
    expect(checkDestination([], strict)).toMatchObject({ valid: false, name: '' })
  })

  it('measures values in bytes', () => {
    const sized = (value: string) => checkDestination({ Name: 'a', Type: 'HTTP', value }, strict).valid
    expect([sized('x'.repeat(102_400)), sized('x'.repeat(102_401)), sized('€'.repeat(34_133)), sized('€'.repeat(34_134))]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })
})

describe('names', () => {
  it.each([
    ['a', true, true],
    ['A-z_9', true, true],
    ['x'.repeat(200), true, true],
    ['x'.repeat(201), false, false],
    ['', false, false],
    ["our team's @app", false, true],
    ['🗝'.repeat(200), false, true],
    ['🗝'.repeat(201), false, false],
    ['a\nb', false, false],
    ['a\u2028b', false, false],
    ['\ud800', false, false],
  ])('%j: strict %s, printable %s', (name, isStrict, isPrintable) => {
    expect(isEntityName(name, { strictNames: true })).toBe(isStrict)
    expect(isEntityName(name, { strictNames: false })).toBe(isPrintable)
  })
})

describe('the schema', () => {
  it('says the same as the check', () => {
    expect(destinationInputSchema.parse({ Name: 'a', Type: 'TCP', Address: 'x:1' })).toEqual({
      properties: { Name: 'a', Type: 'TCP', Address: 'x:1' },
      sharedWithSubscriber: false,
    })
    expect(destinationInputSchema.safeParse({ Name: 'a', Type: 'FTP' }).error?.issues[0]?.message).toBe(
      'Property "Type" must be one of HTTP, RFC, LDAP, MAIL, TCP',
    )
  })
})
