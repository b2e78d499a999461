import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admits, admitsAllReadings, type HttpResource } from './http-resource.ts'
import { createMappingTable } from './mapping-table.ts'
import { readRequestPath } from './request-path.ts'
import { createResourceIndex } from './resource-index.ts'
import { none } from './resource-tree.ts'
import type { SystemMapping } from './system-mapping.ts'

/** What the index is held against: each mapping and each resource looked at, as the documentation of access control reads. */
function locatePlainly(mappings: readonly SystemMapping[], host: string, port: number): SystemMapping | undefined {
  const named = mappings.filter(({ virtualHost }) => virtualHost === host)
  const holds = ({ virtualPortHigh, virtualPortLow }: SystemMapping): boolean => port >= virtualPortLow && port <= virtualPortHigh
  return (
    named.find((mapping) => mapping.virtualPortLow === mapping.virtualPortHigh && holds(mapping)) ?? named.find((mapping) => holds(mapping))
  )
}

function findResourcePlainly(resources: readonly HttpResource[], path: string, upgrade: boolean): HttpResource | undefined {
  const read = readRequestPath(path)
  if (read.kind === 'refused') return undefined
  const admitting = resources
    .filter((resource) => (read.kind === 'plain' ? admits(resource, read.path) : admitsAllReadings(resource, read.readings)))
    .filter(({ websocketUpgradeAllowed }) => !upgrade || websocketUpgradeAllowed)
  return (
    admitting.find(({ exactMatchOnly }) => exactMatchOnly) ??
    admitting.reduce<HttpResource | undefined>(
      (best, one) => (best === undefined || one.path.length > best.path.length ? one : best),
      undefined,
    )
  )
}

const resource = (path: string, changes: Partial<HttpResource> = {}): HttpResource => ({
  path,
  exactMatchOnly: false,
  enabled: true,
  websocketUpgradeAllowed: false,
  description: '',
  ...changes,
})

function mappingOf(virtualHost: string, low: number, high: number, resources: readonly HttpResource[]): SystemMapping {
  return {
    virtualHost,
    virtualPortLow: low,
    virtualPortHigh: high,
    virtualText: `${virtualHost}:${low}`,
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
    rfc: undefined,
    soapFunctions: undefined,
    passUnread: false,
  }
}

/** Of few letters, so that texts begin with each other; sometimes longer than a label, or with what no request has. */
const path = fc
  .array(fc.constantFrom('a', 'b', '/', 'ab', '~', '.x', '%41', 'a'.repeat(254), 'b'.repeat(300), 'ö', '\u{161}'), { maxLength: 6 })
  .map((parts) => `/${parts.join('')}`)
const resources = fc.uniqueArray(
  fc.record({
    path,
    exactMatchOnly: fc.boolean(),
    enabled: fc.boolean(),
    websocketUpgradeAllowed: fc.boolean(),
    description: fc.constant(''),
  }),
  { maxLength: 40, selector: ({ path: text, exactMatchOnly }) => `${text} ${exactMatchOnly}` },
)
const host = fc.constantFrom(
  'a',
  'b',
  'ab',
  'ba',
  '::1',
  'h'.repeat(255),
  'h'.repeat(256),
  'h'.repeat(300),
  '\u00e4',
  '\u{161}',
  'a\u{161}',
  '',
)
const port = fc.constantFrom(1, 2, 80, 255, 256, 443, 65_535)
const mappings = fc.uniqueArray(
  fc.tuple(host, port, port, resources).map(([name, low, high, each]) => mappingOf(name, Math.min(low, high), Math.max(low, high), each)),
  { maxLength: 20, selector: ({ virtualHost, virtualPortHigh, virtualPortLow }) => `${virtualHost} ${virtualPortLow} ${virtualPortHigh}` },
)

describe('the index of virtual hosts', () => {
  it('finds for every host and port what a look at each mapping finds', () => {
    let found = 0
    fc.assert(
      fc.property(
        mappings,
        fc.array(fc.tuple(host, fc.oneof(port, fc.integer({ min: 1, max: 65_535 }))), { minLength: 10, maxLength: 30 }),
        (each, asked) => {
          const table = createMappingTable(each)
          for (const [name, number] of asked) {
            const expected = locatePlainly(each, name, number)
            expect(table.find(name, number)).toBe(expected)
            if (expected !== undefined) found += 1
          }
        },
      ),
      { numRuns: 1000 },
    )
    expect(found).toBeGreaterThan(1000)
  })

  it('finds for every path what a look at each resource finds', () => {
    let found = 0
    const climbing = fc
      .tuple(path, fc.constantFrom('/../', '/./', '/%2e%2e/', '/%252e%252e/'), path)
      .map(([one, up, other]) => `${one}${up}${other.slice(1)}`)
    fc.assert(
      fc.property(
        fc.array(resources, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.oneof(path, climbing), fc.boolean()), { maxLength: 20 }),
        (lists, asked) => {
          const each = lists.map((list, at) => mappingOf(`host-${at}`, 443, 443, list))
          const table = createMappingTable(each)
          for (const [at, { resources: own }] of each.entries()) {
            const place = table.locate(`host-${at}`, 443)
            // Their own paths too, and what begins with them: by chance alone few would be met.
            const paths = [
              ...asked,
              ...own.flatMap(({ path: text }) => [text, `${text}/x`].map((name) => [name, name.length % 2 === 0] as const)),
            ]
            for (const [text, upgrade] of paths) {
              const expected = findResourcePlainly(own, text, upgrade)
              expect(table.findResource(place, readRequestPath(text), upgrade), text).toBe(expected)
              if (expected !== undefined) found += 1
            }
          }
        },
      ),
      { numRuns: 500 },
    )
    expect(found).toBeGreaterThan(1000)
  })

  it.each([
    ['ten', 10],
    ['three hundred, whose numbers have two bytes', 300],
    ['ten thousand, whose numbers have four', 10_000],
  ])('tells %s resources apart', (_, count) => {
    const list = Array.from({ length: count }, (_each, at) => resource(`/service_${at}/`, { websocketUpgradeAllowed: at % 3 === 0 }))
    const table = createMappingTable([mappingOf('first', 443, 443, [resource('/')]), mappingOf('many', 443, 443, list)])
    const place = table.locate('many', 443)
    for (const [at, one] of list.entries()) {
      expect(table.findResource(place, readRequestPath(`${one.path}x`), false)).toBe(one)
      expect(table.findResource(place, readRequestPath(`${one.path}x`), true)).toBe(at % 3 === 0 ? one : undefined)
    }
    expect(table.findResource(place, readRequestPath(`/service_${count}/`), false)).toBeUndefined()
  })

  it('keeps mappings apart whose resources are equal', () => {
    const lists = ['a', 'b'].map(() => [resource('/same/'), resource('/exact', { exactMatchOnly: true })])
    const table = createMappingTable(lists.map((list, at) => mappingOf(`host-${at}`, 443, 443, list)))
    for (const [at, list] of lists.entries()) {
      const place = table.locate(`host-${at}`, 443)
      expect(table.findResource(place, readRequestPath('/same/x'), false)).toBe(list[0])
      expect(table.findResource(place, readRequestPath('/exact'), false)).toBe(list[1])
      expect(table.mappingAt(place).virtualHost).toBe(`host-${at}`)
    }
  })

  it.each([255, 256, 257, 511, 3_000, 4_096])('finds paths of %i characters, alone and beside each other', (length) => {
    const long = (letter: string): HttpResource => resource(`/${letter.repeat(length - 1)}`)
    const shared = resource(`/${'a'.repeat(length - 2)}z`, { exactMatchOnly: true })
    for (const list of [[long('a')], [long('a'), shared], [long('a'), long('b'), shared, long('c')]]) {
      const table = createMappingTable([mappingOf('long', 443, 443, list), mappingOf('next', 443, 443, [resource('/')])])
      const place = table.locate('long', 443)
      for (const one of list) {
        expect(table.findResource(place, readRequestPath(one.path), false)).toBe(one)
        expect(table.findResource(place, readRequestPath(one.path.slice(0, -1)), false)).toBeUndefined()
      }
    }
  })

  it('finds one that can be compared among many that cannot', () => {
    const list = [...Array.from({ length: 300 }, (_, at) => resource(`/\u00f6${at}`)), resource('/a')]
    const table = createMappingTable([mappingOf('host', 443, 443, list)])
    expect(table.findResource(table.locate('host', 443), readRequestPath('/ab'), false)).toBe(list.at(-1))
  })

  it('survives thousands of paths that begin with each other', () => {
    const list = Array.from({ length: 4_000 }, (_, at) => resource(`/${'a'.repeat(at)}`))
    const table = createMappingTable([mappingOf('deep', 443, 443, list)])
    const place = table.locate('deep', 443)
    expect(table.findResource(place, readRequestPath(`/${'a'.repeat(3_000)}b`), false)).toBe(list[3_000])
    expect(table.findResource(place, readRequestPath(`/${'a'.repeat(9_000)}`), false)).toBe(list.at(-1))
  })

  it('tells hosts apart whose hashes are equal', () => {
    // The hashes of each pair are equal at port 443.
    for (const [one, other] of [
      ['0dz2yn9.erp', '1g1xd50.erp'],
      ['1ubhla9.erp', '1pl3mhk.erp'],
    ] as const) {
      const alone = createMappingTable([mappingOf(one, 443, 443, [])])
      expect(alone.find(other, 443)).toBeUndefined()
      const both = createMappingTable([mappingOf(one, 443, 443, []), mappingOf(other, 443, 443, [])])
      expect([one, other].map((name) => both.find(name, 443)?.virtualHost)).toEqual([one, other])
    }
  })

  it('has nothing in an empty table', () => {
    expect(createMappingTable([]).locate('a', 1)).toBe(none)
  })
})
