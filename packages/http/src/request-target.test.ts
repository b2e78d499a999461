import { type HttpDestination, parseDestination } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { buildTarget } from './request-target.ts'

const destination = (url: string, properties: Readonly<Record<string, string>> = {}): HttpDestination =>
  parseDestination({ Name: 'A', Type: 'HTTP', URL: url, ...properties }) as HttpDestination

describe('the request target', () => {
  it.each([
    ['http://erp:8000', '', '/'],
    ['http://erp:8000/', '/', '/'],
    ['http://erp:8000', '/orders', '/orders'],
    ['http://erp:8000/base', '', '/base'],
    ['http://erp:8000/base/', '', '/base/'],
    ['http://erp:8000/base', '/orders', '/base/orders'],
    ['http://erp:8000/base/', '/orders', '/base/orders'],
    ['http://erp:8000/base', 'orders', '/base/orders'],
    ['http://erp:8000/base', '?a=1', '/base?a=1'],
    ['http://erp:8000/base?x=0', '/o?a=1', '/base/o?x=0&a=1'],
    ['http://erp:8000/base', '/o?a=1?b', '/base/o?a=1?b'],
    // Byte for byte: none of this may be normalised.
    [
      'http://erp:8000/base',
      "/a%20b/%2F/../c//d;e='f'($x)?$filter=Name%20eq%20'a'&q",
      "/base/a%20b/%2F/../c//d;e='f'($x)?$filter=Name%20eq%20'a'&q",
    ],
    ['http://erp:8000/base', 'http://erp:8000/other?a', '/other?a'],
    ['http://erp:8000/base', 'http://erp:8000?a', '/?a'],
    ['http://erp:8000/base', 'HTTP://ERP:8000/%7e', '/%7e'],
    ['http://erp/base', 'http://erp:80/x', '/x'],
  ])('%s with %j is %s', (url, path, target) => {
    expect(buildTarget(destination(url), path)).toBe(target)
  })
  it('takes a URL object of the same origin', () => {
    expect(buildTarget(destination('http://erp:8000/base'), new URL('http://erp:8000/x?y#z'))).toBe('/x?y')
  })
  it('adds the queries of the destination that the request does not have', () => {
    const erp = destination('http://erp/base', { 'URL.queries.sap-client': '100', 'URL.queries.a b': 'c&d' })
    expect(buildTarget(erp, '/o')).toBe('/base/o?sap-client=100&a%20b=c%26d')
    expect(buildTarget(erp, '/o?x')).toBe('/base/o?x&sap-client=100&a%20b=c%26d')
    expect(buildTarget(erp, '/o?')).toBe('/base/o?sap-client=100&a%20b=c%26d')
    expect(buildTarget(erp, '/o?sap-client=200&a+b=1')).toBe('/base/o?sap-client=200&a+b=1')
    expect(buildTarget(erp, '/o?%zz=1&sap%2Dclient=1')).toBe('/base/o?%zz=1&sap%2Dclient=1&a%20b=c%26d')
  })
  it.each([
    'http://other:8000/x',
    'https://erp:8000/x',
    'http://user:pw@erp:8000/x',
    'http://erp:8000@other/x',
    '/a b',
    '/a\r\nX: y',
    '/a\u0000',
    '/ä',
    '/a#b',
    `/${'x'.repeat(8000)}`,
  ])('refuses %j', (path) => {
    expect(() => buildTarget(destination('http://erp:8000'), path)).toThrow(/the request target/)
  })
  it.each([42, null, { path: '/x' }])('refuses %j, which is no path', (path) => {
    expect(() => buildTarget(destination('http://erp:8000'), path as unknown as string)).toThrow(/neither text nor a URL/)
  })
  it.each(['//other/x', '\\\\other', 'javascript:x'])('keeps %j on the destination', (path) => {
    expect(buildTarget(destination('http://erp:8000/base'), path).startsWith('/base/')).toBe(true)
  })
})
