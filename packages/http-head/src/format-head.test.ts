import { describe, expect, it } from 'vitest'
import { formatRequestHead, formatResponseHead } from './index.ts'

describe('a rendered head', () => {
  it('is the start line, the lines as given and an empty line', () => {
    expect(formatRequestHead('GET', '/x?y', ['Host: a', 'X:\xe4']).toString('latin1')).toBe(
      'GET /x?y HTTP/1.1\r\nHost: a\r\nX:\xe4\r\n\r\n',
    )
    expect(formatRequestHead('OPTIONS', '*', []).toString('latin1')).toBe('OPTIONS * HTTP/1.1\r\n\r\n')
    expect(formatResponseHead(0, 404, '', []).toString('latin1')).toBe('HTTP/1.0 404 \r\n\r\n')
    expect(formatResponseHead(1, 200, 'OK', ['A: b']).toString('latin1')).toBe('HTTP/1.1 200 OK\r\nA: b\r\n\r\n')
  })

  it.each(['', 'G T', 'GET\r\n', 'GET /', 'GÄT', 'G\u0120T'])('has no method %j', (method) => {
    expect(() => formatRequestHead(method, '/', [])).toThrow(TypeError)
  })

  it.each(['', '/a b', '/a\r\nX: y', '/a\n', '/\0', '/\xe4', '/\u010a', '/#'])('has no target %j', (target) => {
    expect(() => formatRequestHead('GET', target, [])).toThrow(TypeError)
  })

  // U+010A and U+010D become line ends when a string is cut down to bytes.
  it.each([
    '',
    'X',
    ': a',
    ' X: a',
    '\tX: a',
    'X: a\r\nY: b',
    'X: a\nY: b',
    'X: a\r',
    'X: a\n',
    '\r\nX: a',
    'X: \0',
    'X: \u010aY: b',
    'X: \u010d',
    'X: \u20ac',
  ])('has no line %j', (line) => {
    for (const lines of [[line], ['A: a', line], [line, 'B: b']]) {
      expect(() => formatRequestHead('GET', '/', lines)).toThrow(TypeError)
      expect(() => formatResponseHead(1, 200, 'OK', lines)).toThrow(TypeError)
    }
  })

  it('has no reason with a line end, and no status outside 100 to 599', () => {
    expect(() => formatResponseHead(1, 200, 'OK\r\nX: y', [])).toThrow(TypeError)
    expect(() => formatResponseHead(1, 200, 'O\nK', [])).toThrow(TypeError)
    for (const status of [99, 600, 200.5, Number.NaN]) expect(() => formatResponseHead(1, status, '', [])).toThrow(TypeError)
  })

  it('never repeats in an error what it refused', () => {
    expect(() => formatRequestHead('GET', '/', ['Authorization: s3cret\n'])).toThrow(/^a line end or NUL inside a part of a head$/)
  })
})
