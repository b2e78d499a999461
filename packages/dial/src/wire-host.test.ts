import { describe, expect, it } from 'vitest'
import { wireHost } from './wire-host.ts'

describe('the host on the wire', () => {
  it.each([
    ['ERP.Virtual', 'ERP.Virtual'],
    ['under_score', 'under_score'],
    ['10.0.0.1', '10.0.0.1'],
    ['::1', '::1'],
    ['müller.example', 'xn--mller-kva.example'],
    ['v'.repeat(255), 'v'.repeat(255)],
  ])('%s', (host, written) => {
    expect(wireHost({ host, port: 1 })).toBe(written)
  })
  it.each(['', 'a b', 'a\r\nX: y', 'a\u0000b', 'a/b', 'user@host', 'v'.repeat(256), 'ä b', 'a?b', 'a#b', 'a\\b', '\u007f'])(
    'refuses %j',
    (host) => {
      expect(() => wireHost({ host, port: 1 })).toThrow(/not a host name/)
    },
  )
})
