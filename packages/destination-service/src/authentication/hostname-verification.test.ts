import type { PeerCertificate } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { checkBrowserCompatible } from './hostname-verification.ts'

const certificate = (commonName: string | string[], ...names: readonly string[]): PeerCertificate =>
  ({ subject: { CN: commonName }, subjectaltname: names.join(', ') }) as unknown as PeerCertificate
const admits = (host: string, shown: PeerCertificate): boolean => checkBrowserCompatible(host, shown) === undefined

describe('checkBrowserCompatible', () => {
  it.each([
    ['a.foo.com', '*.foo.com', true],
    ['a.b.foo.com', '*.foo.com', true],
    ['A.B.FOO.com.', '*.foo.COM', true],
    ['foo.com', '*.foo.com', false],
    ['evilfoo.com', '*.foo.com', false],
    ['a.b.com', '*.com', false],
    ['a.com', '*', false],
    ['a.foo.com', 'a*.foo.com', true],
    ['a.b.foo.com', 'a*.foo.com', false],
  ])('%s with *DNS:%s: %s', (host, name, admitted) => {
    expect(admits(host, certificate('other.example', `DNS:${name}`))).toBe(admitted)
  })

  it('takes the first common name beside the alternative ones', () => {
    expect(admits('a.b.foo.com', certificate(['*.foo.com', 'second.example'], 'DNS:other.example'))).toBe(true)
    expect(admits('second.example', certificate(['*.foo.com', 'second.example'], 'DNS:other.example'))).toBe(false)
  })

  it('compares addresses with addresses only', () => {
    expect(admits('127.0.0.1', certificate('127.0.0.1', 'DNS:127.0.0.1'))).toBe(false)
    expect(admits('127.0.0.1', certificate('x', 'IP Address:127.0.0.1'))).toBe(true)
  })
})
