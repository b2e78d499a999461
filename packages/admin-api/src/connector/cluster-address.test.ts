import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ClusterAddress, parseClusterAddress } from './cluster-address.ts'

const codeOf = (text: string): unknown => {
  try {
    parseClusterAddress(text)
  } catch (error) {
    return (error as { readonly code?: string }).code
  }
  return 'parsed'
}

describe('the address of a cluster', () => {
  it.each<[string, Partial<ClusterAddress>]>([
    ['cp.example.org:443/orders.db', { protocol: 'tcp', host: 'cp.example.org', port: 443, serviceId: 'orders.db' }],
    ['tcp://CP.Example.org/orders', { protocol: 'tcp', host: 'cp.example.org', port: 443, serviceId: 'orders' }],
    ['RFC://cp.example.org:8443/ABAP', { protocol: 'rfc', port: 8443, serviceId: 'ABAP' }],
    ['cp.example.org', { port: 443, serviceId: undefined }],
    ['cp.example.org:444/', { port: 444, serviceId: undefined }],
    ['[2001:db8::1]:443/x', { host: '2001:db8::1', serviceId: 'x' }],
  ])('%s is split', (text, parts) => {
    expect(parseClusterAddress(text)).toMatchObject(parts)
  })

  it.each(['', '/orders', 'http://cp/x', 'cp:0/x', 'cp:99999', 'cp/a/b', 'cp/a b', 'user@cp/x', 'tcp:///x', 'cp?x'])(
    '%j is refused',
    (text) => {
      expect(codeOf(text)).toBe('MESSAGE_INVALID')
    },
  )

  it('whatever is pasted, it is split or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(['parsed', 'MESSAGE_INVALID']).toContain(codeOf(text))
      }),
    )
  })
})
