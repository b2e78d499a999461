import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { expandSubject, parseSubjectPattern, selectSubjectRule, type SubjectPattern, variablesOf } from './index.ts'

const expand = (pattern: SubjectPattern, values: Readonly<Record<string, string>> = {}): ReturnType<typeof expandSubject> =>
  expandSubject(pattern, (variable) => values[variable])

it('fills variables in between text, most specific field first', () => {
  expect(
    expand({ C: 'DE', O: 'Example', CN: 'u-${name}@${zone}', EMAIL: '${mail}' }, { name: 'jane', zone: 'x', mail: 'j@x.org' }),
  ).toEqual({
    expanded: true,
    subject: [
      { type: 'CN', value: 'u-jane@x' },
      { type: 'EMAIL', value: 'j@x.org' },
      { type: 'O', value: 'Example' },
      { type: 'C', value: 'DE' },
    ],
  })
})

it('takes values as they are: nothing in them is a variable or an escape', () => {
  expect(expand({ CN: '${a}${b}' }, { a: '${', b: 'name}\\,' })).toMatchObject({ subject: [{ value: '${name}\\,' }] })
  expect(expand({ CN: '$name $ {x} }' })).toMatchObject({ subject: [{ value: '$name $ {x} }' }] })
})

it('leaves other fields out as a whole when one of their variables has no value', () => {
  expect(expand({ CN: 'a', OU: 'Team ${team}', O: '', L: '${city}' }, { city: 'Berlin' })).toEqual({
    expanded: true,
    subject: [
      { type: 'CN', value: 'a' },
      { type: 'L', value: 'Berlin' },
    ],
  })
})

it.each<[string, SubjectPattern, Readonly<Record<string, string>>]>([
  ['a CN that is too long', { CN: '${x}${x}' }, { x: 'x'.repeat(129) }],
  ['a line break', { CN: 'a', OU: '${x}' }, { x: 'a\nb' }],
  ['a NUL', { CN: '${x}' }, { x: 'admin\0' }],
  ['a line separator', { CN: '${x}' }, { x: 'a\u2028b' }],
  ['broken Unicode', { CN: '${x}' }, { x: '\udc00' }],
  ['a country that is not two letters', { CN: 'a', C: '${x}' }, { x: 'Germany' }],
  ['an e-mail address outside ASCII', { CN: 'a', EMAIL: '${x}' }, { x: 'jürgen@x.org' }],
  ['an empty CN', { CN: '' }, {}],
])('fails with %s and does not repeat the value', (_, pattern, values) => {
  const verdict = expand(pattern, values)
  expect(verdict).toMatchObject({ expanded: false, reason: 'value' })
  expect(JSON.stringify(verdict)).not.toContain(JSON.stringify(values['x'] ?? '-'))
})

it('accepts 256 characters and two letters', () => {
  expect(expand({ CN: '${x}', C: '${c}' }, { x: 'x'.repeat(256), c: 'de' })).toMatchObject({ expanded: true })
})

it('selects the default rule when no other holds, and none of an empty list', () => {
  const principal = { kind: 'business', claims: {} } as const
  const rules = [{ condition: { variable: 'mail', operator: 'exist' }, pattern: { CN: 'a' } }, { pattern: { CN: 'b' } }] as const
  expect(selectSubjectRule(rules, principal)).toMatchObject({ index: 1 })
  expect(selectSubjectRule([], principal)).toBeUndefined()
})

it.each<[string, SubjectPattern]>([
  ['CN=${name}', { CN: '${name}' }],
  [
    String.raw`CN=${'${name}'},EMAIL=${'${mail}'},OU=R\+D,O="Example, Inc.",C=DE`,
    { CN: '${name}', EMAIL: '${mail}', OU: 'R+D', O: 'Example, Inc.', C: 'DE' },
  ],
  ['C=DE, cn=u-${cp.x}', { CN: 'u-${cp.x}', C: 'DE' }],
])('reads the written pattern %s', (text, pattern) => {
  expect(parseSubjectPattern(text)).toEqual(pattern)
})

it.each([
  ['', 'CN is missing'],
  ['O=x', 'CN is missing'],
  ['CN=a,CN=b', 'CN is there twice'],
  ['CN=a,UID=b', 'UID is not one of'],
  ['CN=a+OU=b', 'stray "+"'],
  ['CN=${name', 'CN has a "${" that is not closed'],
  ['CN=a,C=DEU', 'C is not two letters'],
])('refuses the written pattern "%s": %s', (text, problem) => {
  expect(() => parseSubjectPattern(text)).toThrow(
    expect.objectContaining({ code: 'MESSAGE_INVALID', message: expect.stringContaining(problem) as unknown }),
  )
})

it('knows the variables of a pattern', () => {
  expect([...variablesOf({ CN: '${a}${b}${a}', OU: 'x${cp.c}' })]).toEqual(['a', 'b', 'cp.c'])
})

it('answers any pattern and any values with a subject that a certificate can hold, or a refusal', () => {
  const value = fc.string({ unit: 'binary', maxLength: 300 })
  const field = fc.array(fc.oneof(fc.string(), fc.constantFrom('${a}', '${b}', '${', '}')), { maxLength: 4 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.record({ CN: field, OU: field, C: field, EMAIL: field }), value, value, (pattern, a, b) => {
      const verdict = expand(pattern, { a, b })
      for (const attribute of verdict.expanded ? verdict.subject : []) {
        expect(attribute.value).toMatch(/^[^\p{Cc}]{1,256}$/u)
        expect(attribute.type !== 'C' || /^[A-Za-z]{2}$/.test(attribute.value)).toBe(true)
      }
      expect(!verdict.expanded || verdict.subject[0]?.type === 'CN').toBe(true)
    }),
    { numRuns: 500 },
  )
})
