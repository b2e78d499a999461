import { describe, expect, it } from 'vitest'
import { parseAuthority, parseRequestTarget } from './index.ts'

describe('a request target', () => {
  it.each([
    ['/', { form: 'origin', path: '/' }],
    ['/a//b/../%2e?x=1&y#'.slice(0, -1), { form: 'origin', path: '/a//b/../%2e?x=1&y' }],
    ['//host/x', { form: 'origin', path: '//host/x' }],
    ['*', { form: 'asterisk' }],
    ['http://erp', { form: 'absolute', scheme: 'http', host: 'erp', port: 80, path: '/' }],
    ['HTTP://ERP.Example:8000/A?b', { form: 'absolute', scheme: 'http', host: 'erp.example', port: 8000, path: '/A?b' }],
    ['http://erp?x=1', { form: 'absolute', scheme: 'http', host: 'erp', port: 80, path: '/?x=1' }],
    ['http://erp//x', { form: 'absolute', scheme: 'http', host: 'erp', port: 80, path: '//x' }],
    ['https://under_score/', { form: 'absolute', scheme: 'https', host: 'under_score', port: 443, path: '/' }],
    ['http://[2001:DB8::1]:81/x', { form: 'absolute', scheme: 'http', host: '2001:db8::1', port: 81, path: '/x' }],
    ['x-y.z+1://a:9/', { form: 'absolute', scheme: 'x-y.z+1', host: 'a', port: 9, path: '/' }],
    ['erp:443', { form: 'authority', host: 'erp', port: 443 }],
    ['ERP.:1', { form: 'authority', host: 'erp.', port: 1 }],
    ['[::1]:65535', { form: 'authority', host: '::1', port: 65_535 }],
  ])('%s is read', (target, expected) => {
    expect(parseRequestTarget(target)).toEqual(expected)
  })

  it('holds visible ASCII without # and nothing else', () => {
    const accepted = Array.from({ length: 600 }, (_, code) => String.fromCharCode(code)).filter((character) =>
      parseRequestTarget(`/a${character}b`),
    )
    expect(accepted.join('')).toBe(
      Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at))
        .join('')
        .replace('#', ''),
    )
  })

  it.each([
    '',
    'a b',
    '/a b',
    '/\xe4',
    '/\u010a',
    '/a#b',
    '**',
    '*/',
    'erp',
    'erp:',
    'erp:0',
    'erp:65536',
    'erp:0443',
    'erp:443/',
    '[::1]',
    '::1:80',
    'http:/erp',
    'http:erp',
    'http://',
    'http:///x',
    'http://:80/',
    'http://erp:/',
    'http://erp:0/',
    'http://erp:65536/',
    'http://erp:80x/',
    'http://user@erp/',
    'http://user:pass@erp/',
    'http://erp\\@other/',
    'http://erp%2eexample/',
    'http://erp,other/',
    'http://[::1/',
    'http://[::1]x/',
    'http://[v1.x]/',
    'http://[fe80::1%25eth0]/',
    'http://::1/',
    'ftp://erp/',
    '1http://erp/',
    '://erp/',
    'constructor://erp/',
  ])('%j is none of the forms', (target) => {
    expect(parseRequestTarget(target)).toBeUndefined()
  })
})

describe('an authority', () => {
  it('is a host with a port, or with the default port', () => {
    expect(parseAuthority('ERP:81', 80)).toEqual({ host: 'erp', port: 81 })
    expect(parseAuthority('ERP', 80)).toEqual({ host: 'erp', port: 80 })
    expect(parseAuthority('[::1]', 80)).toEqual({ host: '::1', port: 80 })
    expect(parseAuthority('erp', undefined)).toBeUndefined()
    expect(parseAuthority('', 80)).toBeUndefined()
    expect(parseAuthority('[]', 80)).toBeUndefined()
    expect(parseAuthority('erp\u0130', 80)).toBeUndefined()
  })
})
