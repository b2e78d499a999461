import { describe, expect, it } from 'vitest'
import { resolveServiceAddress } from './service-address.ts'

describe('hosts', () => {
  const hosts = resolveServiceAddress(
    { kind: 'tenant-hosts', uaaDomain: 'auth.test:8443', certDomain: 'auth.cert.test', hostNames: ['tokens.svc.cluster.local'] },
    8443,
  )
  it.each([
    ['acme.auth.test:8443', { kind: 'subdomain', subdomain: 'acme' }],
    ['ACME.AUTH.TEST.', { kind: 'subdomain', subdomain: 'acme' }],
    ['acme.auth.cert.test', { kind: 'subdomain', subdomain: 'acme' }],
    ['a.b.auth.test', { kind: 'subdomain', subdomain: 'a.b' }],
    ['.auth.test', { kind: 'subdomain', subdomain: '' }],
    ['auth.test', { kind: 'none' }],
    ['auth.test:1', { kind: 'none' }],
    ['tokens.svc.cluster.local:8443', { kind: 'none' }],
    ['token-service', { kind: 'none' }],
    ['127.0.0.1:8443', { kind: 'none' }],
    ['[::1]:8443', { kind: 'none' }],
    [undefined, { kind: 'none' }],
    ['acme.other.test', { kind: 'unknown' }],
    ['acme-auth.test', { kind: 'unknown' }],
    ['auth.test.evil.test', { kind: 'unknown' }],
    ['a.b:c:d', { kind: 'none' }],
  ])('%s says %j', (host, expected) => {
    expect(hosts.tenantOf(host)).toEqual(expected)
  })

  it('follow the port of the https listener on one machine', () => {
    const loopback = resolveServiceAddress({ kind: 'loopback' }, 8445)
    expect([loopback.uaaDomain, loopback.keySetUrl, loopback.issuer(undefined)]).toEqual([
      'localhost:8445',
      'https://localhost:8445/token_keys',
      'https://127.0.0.1:8445/oauth/token',
    ])
    expect(loopback.tenantOf('acme.localhost:8445')).toEqual({ kind: 'subdomain', subdomain: 'acme' })
    expect(() => resolveServiceAddress({ kind: 'loopback' }, undefined)).toThrow(/listenHttps first/)
  })
})
