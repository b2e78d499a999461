import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeOnce, readRequestPath, resolveDotSegments } from './request-path.ts'

describe('request path', () => {
  it.each(['/', '/a', '/a/b.c', '/a;v=1/b', "/odata/X('1%20a')", '/a//b', '/.well-known/x', '/a%2Eb', '/caf%C3%A9', '/a#b', '/50%25'])(
    'takes %s as it is',
    (path) => {
      expect(readRequestPath(path)).toEqual({ kind: 'plain', path })
    },
  )

  it.each<[string, readonly string[]]>([
    ['/a/../b', ['/b']],
    ['/a/./b', ['/a/b']],
    ['/a/b/..', ['/a/']],
    ['/a/%2e%2e/b', ['/a/%2e%2e/b', '/b']],
    ['/a/.%2E/b', ['/a/.%2E/b', '/b']],
    ['/a/%252e%252e/b', ['/a/%252e%252e/b', '/a/%2e%2e/b', '/b']],
    ['/a/%252e%252e%252fb', ['/a/%252e%252e%252fb', '/a/%2e%2e%2fb', '/b']],
  ])('reads %s in every way a backend might', (path, readings) => {
    expect(readRequestPath(path)).toEqual({ kind: 'climbing', readings })
  })

  it.each([
    ['a/b', 'slash'],
    ['', 'slash'],
    ['*', 'slash'],
    ['/a\\b', 'backslash'],
    ['/a%5cb', 'backslash'],
    ['/a%255cb', 'backslash'],
    ['/a%2fb', 'encoded slash'],
    ['/a/..%2Fb', 'encoded slash'],
    ['/a%00', 'control'],
    ['/a%0d%0ab', 'control'],
    ['/a%7f', 'control'],
    ['/a\tb', 'percent-encoded'],
    ['/caf\u00e9', 'percent-encoded'],
    ['/a%', 'malformed'],
    ['/a%zz', 'malformed'],
    ['/a%u002e', 'malformed'],
    ['/a/%c0%ae%c0%ae/b', 'overlong'],
    ['/a/%e0%80%ae/b', 'overlong'],
    ['/a/%f0%80%80%ae/b', 'overlong'],
    ['/..', 'root'],
    ['/a/../../b', 'root'],
    ['/a/..;/b', 'parameter'],
    ['/a/.;x=1/b', 'parameter'],
    ['/a/..%3b/b', 'parameter'],
    ['/a/..#/b', 'fragment'],
    ['/a/..%23/b', 'fragment'],
    ['/a/#/../b', 'fragment'],
    ['/a//../b', 'empty segments'],
    ['/a/./;/%2E./b', 'empty segments'],
    ['/a/.../b', 'dots and blanks'],
    ['/a/..%20/b', 'dots and blanks'],
    ['/a/%20../b', 'dots and blanks'],
    ['/a%2525252525', 'too often'],
  ])('refuses %j because of its %s', (path, reason) => {
    const reading = readRequestPath(path)
    expect(reading.kind).toBe('refused')
    expect(reading).toMatchObject({ reason: expect.stringContaining(reason) })
  })

  it('resolves dot segments as URL does, except above the root', () => {
    const segment = fc.constantFrom('a', 'bc', '.', '..', 'd.e')
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
        const path = `/${segments.join('/')}`
        expect(resolveDotSegments(path) ?? new URL(`http://x${path}`).pathname).toBe(new URL(`http://x${path}`).pathname)
      }),
    )
  })

  it('answers for every text without throwing, and in time linear in its length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (text) => {
        expect(['plain', 'climbing', 'refused']).toContain(readRequestPath(`/${text}`).kind)
      }),
    )
    for (const piece of ['%2e%2e/', '../', '. ', '%25', ';', '//', '/. .', '%2e.']) {
      const before = process.cpuUsage()
      readRequestPath(`/${piece.repeat(8192 / piece.length)}`)
      expect(process.cpuUsage(before).user / 1000, piece).toBeLessThan(100)
    }
  })

  it('decodes byte by byte', () => {
    expect(decodeOnce('%41%c3%a9%2')).toBe('A\u00c3\u00a9%2')
  })
})
