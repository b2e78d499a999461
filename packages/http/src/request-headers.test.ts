import { inspect } from 'node:util'
import { ConnectivityError, createSecret, type Credentials, type HttpDestination, parseDestination } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { buildHeaders, buildProxyHeaders } from './request-headers.ts'

const clock = createManualClock(1000)
const destination = (properties: Readonly<Record<string, string>> = {}): HttpDestination =>
  parseDestination({ Name: 'A', Type: 'HTTP', URL: 'http://erp', ...properties }) as HttpDestination
const build = (own: [string, string][], credentials: Credentials = { kind: 'none' }, properties = {}): Record<string, string> =>
  buildHeaders({ destination: destination(properties), credentials, own, clock })

describe('the headers of a request', () => {
  it('are its own, then those of the destination that it does not have', () => {
    expect(
      build(
        [
          ['X-Own', '1'],
          ['APIKEY', 'mine'],
        ],
        { kind: 'none' },
        { 'URL.headers.apikey': 'k', 'URL.headers.X-More': 'm', 'sap-client': '100', 'sap-language': '' },
      ),
    ).toEqual({ 'x-own': '1', apikey: 'mine', 'x-more': 'm', 'sap-client': '100' })
  })
  it('may be called like what every object has', () => {
    const own: [string, string][] = ['constructor', '__proto__', 'toString', 'hasOwnProperty'].map((name) => [name, 'own'])
    expect(Object.entries(build(own))).toEqual(own.map(([name, value]) => [name.toLowerCase(), value]))
    expect(Object.entries(build([], { kind: 'none' }, { 'URL.headers.constructor': 'c', 'URL.headers.__proto__': 'p' }))).toEqual([
      ['constructor', 'c'],
      ['__proto__', 'p'],
    ])
  })
  it('join repeated names as the standard has it', () => {
    expect(
      build([
        ['Accept', 'a'],
        ['accept', 'b'],
        ['Cookie', 'a=1'],
        ['cookie', 'b=2'],
      ]),
    ).toEqual({ accept: 'a, b', cookie: 'a=1; b=2' })
  })
  it('carry user and password in UTF-8, unless the request has its own authorization', () => {
    const basic: Credentials = { kind: 'basic', user: 'ü', password: createSecret('p:w') }
    expect(build([], basic)).toEqual({ authorization: `Basic ${Buffer.from('ü:p:w').toString('base64')}` })
    expect(build([['Authorization', 'own']], basic)).toEqual({ authorization: 'own' })
  })
  it('carry the prepared header until it expires', () => {
    const header: Credentials = { kind: 'header', name: 'X-Auth', value: createSecret('v'), expiresAtMs: 2000 }
    expect(build([], header)).toEqual({ 'x-auth': 'v' })
    expect(() => buildHeaders({ destination: destination(), credentials: header, own: [], clock: createManualClock(2000) })).toThrow(
      /has expired/,
    )
  })
  it.each([
    'Host',
    'Proxy-Authorization',
    'SAP-Connectivity-Authentication',
    'SAP-Connectivity-SCC-Location_ID',
    'sap-cp-connectivity-service-token',
    'Proxy-Connection',
  ])('leave %s to the adapter', (name) => {
    expect(() => build([[name, 'x']])).toThrow(/is set by the adapter/)
    expect(() => build([], { kind: 'none' }, { [`URL.headers.${name}`]: 'x' })).toThrow(/is set by the adapter/)
  })
  it('have no authorization of their own beside a principal', () => {
    expect(() => build([['authorization', 'x']], { kind: 'principal' })).toThrow(/must be absent/)
  })
  it.each([
    ['x', 'a\r\nY: z'],
    ['x', 'a\u0000'],
    ['x', '€'],
    ['x y', 'a'],
    ['', 'a'],
    ['x:', 'a'],
  ])('refuse %j: %j without showing the value', (name, value) => {
    let error: unknown
    try {
      build([[name, `secret-value${value}`]])
    } catch (thrown) {
      error = thrown
    }
    expect(ConnectivityError.is(error, 'MESSAGE_INVALID')).toBe(true)
    expect(inspect(error, { depth: 9 })).not.toContain('secret-value')
  })
})

describe('the headers for the proxy', () => {
  const user = { kind: 'business', token: createSecret('u.t.k') } as const
  it('name token, connector and user', () => {
    expect(buildProxyHeaders({ host: 'erp:80', token: 't', locationId: 'orlando', principal: user })).toEqual({
      host: 'erp:80',
      'proxy-authorization': 'Bearer t',
      'sap-connectivity-scc-location_id': 'orlando',
      'sap-connectivity-authentication': 'Bearer u.t.k',
    })
  })
  it('leave the location ID out for the connector without one, and name a technical principal as such', () => {
    expect(buildProxyHeaders({ host: 'erp', token: 't', locationId: '', principal: { ...user, kind: 'technical' } })).toEqual({
      host: 'erp',
      'proxy-authorization': 'Bearer t',
      'sap-connectivity-technical-authentication': 'Bearer u.t.k',
    })
  })
})
