import { expect, it } from 'vitest'
import { escapeFilterValue, escapeNameAsHexadecimal } from './ldap-text.ts'
import { parseSearchRules } from './search-rules.ts'

it('reads names and values, and knows what is not said', () => {
  const config = `userBase="ou=people,o=acme"\n userSearch="uid={0}" userSubtree = "true" roleBase="ou=groups" roleSearch="(member={0})" roleName="cn"`
  expect(parseSearchRules(config)).toMatchObject({
    userBase: 'ou=people,o=acme',
    userSearch: '(uid={0})',
    userSubtree: true,
    roleSubtree: false,
    roleSearch: '(member={0})',
    adCompat: false,
    connectionTimeoutMs: 5000,
  })
})

it.each([
  ['userBase="o=a"', 'userSearch is missing'],
  ['userSearch="(uid={0})"', 'userBase is missing'],
  ['userBase="o=a" userSearch="(uid=joe)"', 'has no {0}'],
  ['userPattern="uid={0},o=a"', 'userPattern cannot be used'],
  ['userBase="o=a" surprise="1"', 'surprise is not known'],
  ['userBase="o=a" userBase="o=b"', 'stands there twice'],
  ['userBase="o=a" ; userSearch="(uid={0})"', 'is expected at character 16'],
  ['userBase=o=a', 'is expected at character 1'],
  ['userBase="o=a" userSearch="(uid={0})" userSubtree="yes"', 'userSubtree is true or false'],
  ['userBase="o=a" userSearch="(uid={0})" connectionTimeout="0"', 'connectionTimeout is 1 to'],
  ['userBase="o=a" userSearch="(uid={0})" roleSearch="(member={0})"', 'needs a roleName'],
])('refuses %s', (config, message) => {
  expect(() => parseSearchRules(config)).toThrow(message)
})

it('lets no user change the filter that he is searched with', () => {
  expect(escapeFilterValue('*)(uid=*\\\u0000')).toBe('\\2a\\29\\28uid=\\2a\\5c\\00')
})

it('writes escaped characters of distinguished names as digits', () => {
  expect(escapeNameAsHexadecimal('cn=Doe\\, Jane\\2c x,ou=a\\\\b')).toBe('cn=Doe\\2c Jane\\2c x,ou=a\\5cb')
})
