import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideHttpAccess, decideTcpAccess } from './access-decision.ts'
import { admits, explainResourcePath, type HttpResource } from './http-resource.ts'
import { createMappingTable, type MappingTable } from './mapping-table.ts'
import { createResourceIndex } from './resource-index.ts'
import type { SystemMapping } from './system-mapping.ts'

const resource = (path: string, changes: Partial<HttpResource> = {}): HttpResource => ({
  path,
  exactMatchOnly: false,
  enabled: true,
  websocketUpgradeAllowed: false,
  description: '',
  ...changes,
})

function mapping(resources: readonly HttpResource[], changes: Partial<SystemMapping> = {}): SystemMapping {
  return {
    virtualHost: 's4.demo',
    virtualPortLow: 443,
    virtualPortHigh: 443,
    virtualText: 's4.demo:443',
    protocol: 'HTTPS',
    internalHost: 's4.internal',
    internalPortLow: 44_300,
    internalText: 's4.internal:44300',
    backendType: 'abapSys',
    principalType: 'NONE',
    hostInHeader: 'VIRTUAL',
    description: '',
    resources,
    index: createResourceIndex(resources),
    ...changes,
  }
}

const tableOf = (...resources: readonly HttpResource[]): MappingTable => createMappingTable([mapping(resources)])
const s4 = { host: 's4.demo', port: 443 }
const decide = (table: MappingTable, path: string, upgrade?: string): boolean => decideHttpAccess(table, s4, path, upgrade).allowed

describe('resources', () => {
  it('CC-058 a path-only resource admits exactly its path', () => {
    const table = tableOf(resource('/sap/bc/ping', { exactMatchOnly: true }))
    expect(decide(table, '/sap/bc/ping')).toBe(true)
    for (const path of ['/sap/bc/ping/', '/sap/bc/pin', '/sap/bc/pingx', '/sap/bc/ping/x']) expect(decide(table, path), path).toBe(false)
  })

  it('CC-059 a resource with sub-paths admits everything that begins with its text, across segments', () => {
    const table = tableOf(resource('/production/accounting'))
    for (const path of ['/production/accounting', '/production/accounting/x', '/production/accounting-plus']) {
      expect(decide(table, path), path).toBe(true)
    }
    expect(decide(table, '/production/account')).toBe(false)
    expect(decide(tableOf(resource('/a/')), '/a')).toBe(false)
  })

  it('admits only what any of several resources admits, and prefers the exact, then the longest', () => {
    const table = tableOf(resource('/'), resource('/a'), resource('/a/b'), resource('/a/b', { exactMatchOnly: true }))
    const found = (path: string): unknown => {
      const decision = decideHttpAccess(table, s4, path, undefined)
      return decision.allowed && [decision.resource?.path, decision.resource?.exactMatchOnly]
    }
    expect(found('/a/b')).toEqual(['/a/b', true])
    expect(found('/a/b/c')).toEqual(['/a/b', false])
    expect(found('/a/c')).toEqual(['/a', false])
    expect(found('/x')).toEqual(['/', false])
  })

  it('looks for a resource that allows the upgrade behind better matches that do not', () => {
    const table = tableOf(resource('/ws', { websocketUpgradeAllowed: true }), resource('/ws/plain'))
    expect(decide(table, '/ws/plain', 'websocket')).toBe(true)
    expect(decideHttpAccess(tableOf(resource('/ws')), s4, '/ws', 'websocket')).toMatchObject({ allowed: false, kind: 'upgrade' })
    expect(decideHttpAccess(table, s4, '/other', 'websocket')).toMatchObject({ allowed: false, kind: 'resource' })
  })

  it('lets nothing but WebSocket take a permission to upgrade', () => {
    const table = tableOf(resource('/ws', { websocketUpgradeAllowed: true }))
    for (const protocol of ['h2c', 'websocket, h2c', 'tls/1.0', '']) expect(decide(table, '/ws', protocol), protocol).toBe(false)
  })

  it('decides as a plain comparison with every resource does', () => {
    const path = fc.array(fc.constantFrom('/', 'a', 'b', '/a', '.x'), { maxLength: 6 }).map((parts) => `/${parts.join('')}`)
    fc.assert(
      fc.property(
        fc.uniqueArray(path, { maxLength: 12 }),
        fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
        path,
        (paths, flags, asked) => {
          const resources = paths.map((text, at) => resource(text, { exactMatchOnly: flags[at] ?? false, enabled: flags[at + 12] ?? true }))
          expect(decide(tableOf(...resources), asked)).toBe(resources.some((each) => admits(each, asked)))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('admits a climbing path only when one resource admits every reading of it', () => {
    const table = tableOf(resource('/public/'), resource('/private/ok', { exactMatchOnly: true }))
    expect(decide(table, '/public/a/../b')).toBe(true)
    expect(decide(table, '/public/../private/secret')).toBe(false)
    expect(decide(table, '/public/../private/ok')).toBe(true)
    expect(decide(table, '/public/%2e%2e/private/ok')).toBe(false)
    expect(decide(table, '/public/%252e%252e/private/secret')).toBe(false)
    expect(decide(table, '/public/a/%2e%2e/b')).toBe(true)
  })

  it('compares a resource that is written with escapes as it is written', () => {
    const table = tableOf(resource('/my%20docs/', {}), resource('/x', { exactMatchOnly: true }))
    expect(decide(table, '/my%20docs/a')).toBe(true)
    expect(decide(table, '/my%20docs/a/%2e%2e/b')).toBe(true)
    expect(decide(table, '/%78')).toBe(false)
  })

  it('decides among 100,000 resources about as fast as among ten', () => {
    const many = Array.from({ length: 100_000 }, (_, at) => resource(`/sap/opu/odata/service_${at}/`))
    const measure = (table: MappingTable): number => {
      for (let at = 0; at < 20_000; at++) decide(table, `/sap/opu/odata/service_${at % 10}/Entity`)
      const before = process.cpuUsage()
      for (let at = 0; at < 20_000; at++) decide(table, `/sap/opu/odata/service_${at % 10}/Entity`)
      return process.cpuUsage(before).user / 1000
    }
    const few = measure(tableOf(...many.slice(0, 10)))
    // A comparison with each would be ten thousand times slower.
    expect(measure(tableOf(...many))).toBeLessThan(few * 20 + 50)
  })

  it.each([
    ['a', 'must start'],
    ['/a?b', 'query'],
    ['/a/../b', 'dot segments'],
    ['/a/.', 'dot segments'],
    ['/a%2fb', 'encoded slash'],
    ['/a b', 'percent-encoded'],
    ['/a%2', 'malformed'],
  ])('says why no request would match the resource %s', (path, reason) => {
    expect(explainResourcePath(path)).toContain(reason)
  })

  it.each(['/', '/a#b', '/odata4/;mo;c=LOCAL/', '/my%20docs', '/a//b'])('accepts the resource %s', (path) => {
    expect(explainResourcePath(path)).toBeUndefined()
  })
})

describe('attack corpus', () => {
  // Spellings of "one level up", and what stands around them.
  const dots = fc.constantFrom(
    '..',
    '%2e%2e',
    '.%2e',
    '%2E.',
    '%252e%252e',
    '%252e.',
    '..;',
    '..;a=b',
    '..%3b',
    '%2e%2e;',
    '...',
    '..%20',
    '..%00',
    '..%09',
    '.',
    '%2e',
    '..#',
    '..%23',
    '..%3f',
    '%c0%ae%c0%ae',
    '%25252e%25252e',
  )
  const slashes = fc.constantFrom('/', '//', '/./', '%2f', '%252f', '\\', '%5c', '%255c', '/;/', ';/', '%25252f')
  const names = fc.constantFrom('public', 'x', 'private', 'a;b', 'a%20b', '')
  const attack = fc
    .array(fc.oneof(dots, names), { minLength: 1, maxLength: 6 })
    .chain((segments) => fc.tuple(...segments.map((segment) => fc.tuple(fc.constant(segment), slashes))))
    .map((pieces) => `/public/${pieces.flat().join('')}private/data`)

  /** What lenient backends do: decode until nothing changes, take backslashes for slashes, drop parameters and fragments, merge slashes, climb. */
  const mostHostileReading = (path: string): string => {
    let text = path
    for (let at = 0; at < 5; at++)
      text = text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    const segments: string[] = []
    for (const raw of (text.split(/[?#]/, 1)[0] ?? '').replaceAll('\\', '/').split('/')) {
      const segment = (raw.split(';', 1)[0] ?? '').trim().replace(/^(\.\.)[.\0\s]+$/, '$1')
      if (segment === '..') segments.pop()
      else if (segment !== '.' && segment !== '') segments.push(segment)
    }
    return `/${segments.join('/')}`
  }

  it('never admits a path that some backend would take for one outside the resource', () => {
    const table = tableOf(resource('/public/'))
    let admitted = 0
    fc.assert(
      fc.property(attack, (path) => {
        if (!decide(table, path)) return
        admitted++
        expect(`${mostHostileReading(path)}/`).toMatch(/^\/public\//)
      }),
      { numRuns: 20_000 },
    )
    // Otherwise the property would hold because nothing is ever admitted.
    expect(admitted).toBeGreaterThan(100)
  })
})

describe('mappings', () => {
  it('finds nothing for another host, port or protocol family', () => {
    const table = createMappingTable([
      mapping([resource('/')]),
      mapping([], { virtualHost: 'db', virtualPortLow: 5432, virtualPortHigh: 5432, protocol: 'TCP' }),
    ])
    expect(decideHttpAccess(table, { host: 'other', port: 443 }, '/', undefined)).toMatchObject({ allowed: false, kind: 'system' })
    expect(decideHttpAccess(table, { host: 's4.demo', port: 444 }, '/', undefined)).toMatchObject({ allowed: false, kind: 'system' })
    expect(decideHttpAccess(table, { host: 'db', port: 5432 }, '/', undefined)).toMatchObject({ allowed: false, kind: 'system' })
    expect(decideTcpAccess(table, s4)).toMatchObject({ allowed: false, kind: 'system' })
    expect(decideTcpAccess(table, { host: 'db', port: 5432 })).toMatchObject({ allowed: true })
  })

  it('finds a port range by containment', () => {
    const table = createMappingTable([mapping([], { virtualHost: 'db', virtualPortLow: 1000, virtualPortHigh: 1010, protocol: 'TCP' })])
    expect(decideTcpAccess(table, { host: 'db', port: 1000 }).allowed).toBe(true)
    expect(decideTcpAccess(table, { host: 'db', port: 1010 }).allowed).toBe(true)
    expect(decideTcpAccess(table, { host: 'db', port: 1011 }).allowed).toBe(false)
  })
})
