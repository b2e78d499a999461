import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatRouteRequest,
  formatRouterError,
  formatRouteString,
  isRefused,
  isRouterError,
  isRouteRequest,
  niReturnCodeName,
  parseRouteRequest,
  parseRouterError,
  parseRouteString,
  type RouteHop,
} from './index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
const hop = (host: string, service = '3299', password = ''): RouteHop => ({ host, service, password })

describe('route strings', () => {
  it.each([
    ['/H/rtr.example/S/3299/H/10.0.0.7/S/3300', [hop('rtr.example'), hop('10.0.0.7', '3300')]],
    ['/H/a', [hop('a')]],
    ['/h/a/s/sapgw00/w/pass word/H/b', [hop('a', 'sapgw00', 'pass word'), hop('b')]],
    ['/H/a/W/secret/S/99/H/b/P/old', [hop('a', '99', 'secret'), hop('b', '3299', 'old')]],
  ])('%s is read', (text, hops) => {
    expect(parseRouteString(text)).toEqual(hops)
  })

  it.each([
    '',
    '/',
    'H/a',
    '/H',
    '/H/',
    '/H//S/1',
    '/S/1/H/a',
    '/H/a/S/1/S/2',
    '/H/a/W/x/P/y',
    '/H/a/X/1',
    '/H/a/S',
    '/H/a\0',
    '/H/a/',
    `/H/${'a'.repeat(4096)}`,
    '/H/a'.repeat(33),
  ])('%j is refused', (text) => {
    expect(isRefused(parseRouteString(text))).toBe(true)
  })

  it('never repeat a password in what they say', () => {
    const refusal = parseRouteString('/H/a/W/geheim/W/geheim')
    expect(JSON.stringify(refusal)).not.toContain('geheim')
    expect(() => formatRouteString([hop('a', '1', 'geheim/')])).toThrow(/^the password of a hop/)
  })

  it('are read as they were rendered', () => {
    const part = fc.stringMatching(/^[ -.0-~]{1,20}$/)
    const hops = fc.array(fc.record({ host: part, service: part, password: fc.oneof(part, fc.constant('')) }), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(hops, (route) => {
        expect(parseRouteString(formatRouteString(route))).toEqual(route)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('route requests', () => {
  const example = bytes(`
    4e495f524f55544500 02 28 02 00 0000 01 00000021 00000012
    7274722e6578616d706c6500 3332393900 00 31302e302e302e3700 3333303000 00`)
  const hops = [hop('rtr.example'), hop('10.0.0.7', '3300')]

  it('have the bytes of the specification', () => {
    expect(formatRouteRequest({ hops, passedHops: 1, talkMode: 0 })).toEqual(example)
    expect(parseRouteRequest(example)).toEqual({ hops, passedHops: 1, talkMode: 0 })
    expect(isRouteRequest(example)).toBe(true)
  })

  it('name the next hop by its offset, with passwords on the way', () => {
    const three = [hop('a', '1', 'pw'), hop('bb', '22'), hop('ccc', '333')]
    const payload = formatRouteRequest({ hops: three, passedHops: 2, talkMode: 0 })
    expect(payload.subarray(11, 24)).toEqual(bytes('03 00 0000 01 00000017 0000000e'))
    expect(payload.subarray(24 + 14)).toEqual(Buffer.from('ccc\x00333\0\0'))
  })

  it.each([
    ['eyecatcher', 0, 'ff'],
    ['version', 9, '03'],
    ['number of entries', 11, '03'],
    ['remaining hops', 15, '02'],
    ['no remaining hops', 15, '00'],
    ['route length', 16, '00000020'],
    ['route offset', 20, '00000011'],
    ['empty host', 24, '00'],
  ])('with another %s are refused', (_what, at, hex) => {
    const payload = Buffer.from(example)
    payload.write(hex, at, 'hex')
    expect(isRefused(parseRouteRequest(payload))).toBe(true)
  })

  it('cannot be rendered without a hop to go to', () => {
    expect(() => formatRouteRequest({ hops, passedHops: 2, talkMode: 0 })).toThrow(TypeError)
    expect(() => formatRouteRequest({ hops: [hop('a')], passedHops: 1, talkMode: 0 })).toThrow(TypeError)
    expect(() => formatRouteRequest({ hops: [hop('a\0b'), hop('c')], passedHops: 1, talkMode: 0 })).toThrow(TypeError)
  })
})

describe('SAProuter errors', () => {
  const text = '*ERR*\x001\x00router: route permission denied\x00-94\x00*ERR*\x00'
  const payload = Buffer.concat([
    bytes(`4e495f525445525200 28 00 00 ffffffa2 000000${text.length.toString(16)}`),
    Buffer.from(text),
    Buffer.alloc(4),
  ])

  it('have the bytes of the specification', () => {
    const details = { counter: '1', text: 'router: route permission denied', returnCode: '-94' }
    expect(parseRouterError(payload)).toEqual({ niVersion: 40, opcode: 0, returnCode: -94, text: details.text, details })
    expect(formatRouterError({ returnCode: -94, details })).toEqual(payload)
    expect(isRouterError(payload)).toBe(true)
    expect(niReturnCodeName(-94)).toBe('NIEROUT_PERM_DENIED')
    expect(niReturnCodeName(-5000)).toBe('-5000')
  })

  it('are read without the number that follows the text, but not with a wrong length', () => {
    expect(parseRouterError(payload.subarray(0, -4))).toMatchObject({ returnCode: -94 })
    for (const cut of [1, 2, 3, 5]) expect(isRefused(parseRouterError(payload.subarray(0, -cut)))).toBe(true)
  })

  it('have no control characters in their text', () => {
    const hostile = Buffer.from(payload)
    hostile.write('\x1b', payload.indexOf('router'))
    expect(parseRouterError(hostile)).toMatchObject({ text: '?outer: route permission denied' })
  })
})
