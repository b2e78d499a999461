import { assert, constantFrom, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readUserPrincipal } from './user-principal.ts'

const settings = { realm: 'ACME.TEST', userDomains: ['acme.example'] }

describe('names of users as principals', () => {
  it.each([
    ['jane', { kind: 'principal', name: 'jane@ACME.TEST' }],
    ['jane@acme.test', { kind: 'principal', name: 'jane@ACME.TEST' }],
    ['Jane Doe@ACME.TEST', { kind: 'principal', name: 'Jane Doe@ACME.TEST' }],
    ['jane@Acme.Example', { kind: 'enterprise', name: 'jane@Acme.Example' }],
    ['Jürgen', { kind: 'principal', name: 'Jürgen@ACME.TEST' }],
  ] as const)('%j is %j', (name, expected) => {
    expect(readUserPrincipal(name, settings)).toEqual(expected)
  })

  it.each([
    '',
    ' jane',
    'jane ',
    '-jane',
    '@ACME.TEST',
    'jane@',
    'jane@evil.example',
    'a@b@ACME.TEST',
    'HTTP/host',
    'a\\@b',
    'ja\nne',
    'j\u0000',
    'j\u202ee',
  ])('%j is refused', (name) => {
    expect(() => readUserPrincipal(name, settings)).toThrow(/^the name of the user /)
  })

  it('nothing that is not refused can be read as an option, another component or another realm', () => {
    const read = (name: string): string => {
      try {
        return readUserPrincipal(name, settings).name
      } catch (error) {
        return String(error)
      }
    }
    const expected = /^[^-\s/\\@][^/\\@]*@(?:ACME\.TEST|acme\.example)$|ConnectivityError: the name of the user /
    const domains = constantFrom('', '@ACME.TEST', '@acme.example')
    assert(property(string({ unit: 'grapheme', maxLength: 40 }), domains, (local, domain) => expected.test(read(local + domain))))
  })
})
