import { type ConfigurationProblem, type MappingEntry, principalTypesOf, protocolsOf } from '@sallyport/admin-api'
import { explainResourcePath } from '../access-control/http-resource.ts'
import { isHttpMapping, type SystemMapping } from '../access-control/system-mapping.ts'
import { internalPortCount } from './normalise-mapping.ts'
import type { MappingRule } from './mapping-rule.ts'
import { rfcRules } from './rfc-rules.ts'

const backendTypeFits: MappingRule = ({ backendType, protocol }) =>
  protocolsOf(backendType).includes(protocol)
    ? []
    : [
        {
          path: ['backendType'],
          message: `${backendType} cannot be mapped with ${protocol}, only with ${protocolsOf(backendType).join(', ')}`,
        },
      ]

const principalTypeFits: MappingRule = ({ principalType, protocol }) =>
  principalTypesOf(protocol).includes(principalType)
    ? []
    : [
        {
          path: ['principalType'],
          message: `${principalType} needs another protocol than ${protocol}, which allows ${principalTypesOf(protocol).join(', ')}`,
        },
      ]

const portRangeFits: MappingRule = (mapping, entry) => {
  const virtualCount = mapping.virtualPortHigh - mapping.virtualPortLow + 1
  const internalCount = internalPortCount(entry)
  if (virtualCount === 1 && internalCount === 1) return []
  if (mapping.protocol !== 'TCP' && mapping.protocol !== 'TCPS') {
    return [{ path: ['virtual'], message: `port ranges are for tcp and tcps, not for ${mapping.protocol.toLowerCase()}` }]
  }
  if (virtualCount === internalCount) return []
  return [
    { path: ['internal'], message: `the virtual range has ${virtualCount} ports and the internal one ${internalCount}; they must agree` },
  ]
}

const hostInHeaderFits: MappingRule = (mapping, entry) =>
  isHttpMapping(mapping) || entry.hostInHeader === 'VIRTUAL'
    ? []
    : [{ path: ['hostInHeader'], message: `only http and https have a Host header, ${mapping.protocol.toLowerCase()} has none` }]

const resourcesFit: MappingRule = (mapping, entry) => {
  if (!isHttpMapping(mapping) || mapping.protocol === 'RFCWS') {
    return entry.resources.length === 0
      ? []
      : [
          {
            path: ['resources'],
            message: `a ${mapping.protocol.toLowerCase()} mapping has no resources; ${mapping.protocol === 'RFC' ? 'it has functions' : 'it grants access as a whole'}`,
          },
        ]
  }
  const seen = new Map<string, number>()
  return mapping.resources.flatMap((resource, at) => {
    const path = ['resources', at, 'path']
    const first = seen.get(resource.path)
    if (first !== undefined) return [{ path, message: `"${resource.path}" is already resource ${first} of this mapping` }]
    seen.set(resource.path, at)
    const problem = explainResourcePath(resource.path)
    return problem === undefined ? [] : [{ path, message: `"${resource.path}" ${problem}` }]
  })
}

const rules: readonly MappingRule[] = [backendTypeFits, principalTypeFits, portRangeFits, hostInHeaderFits, resourcesFit, ...rfcRules]

/** Everything that is wrong with one mapping taken alone. */
export function checkMapping(mapping: SystemMapping, entry: MappingEntry): readonly ConfigurationProblem[] {
  return rules.flatMap((rule) => rule(mapping, entry))
}

/** Mappings whose virtual host and ports are taken by an earlier one. `undefined` stands for a mapping that could not be read. */
export function findClashes(mappings: readonly (SystemMapping | undefined)[]): readonly ConfigurationProblem[] {
  const byHost = new Map<string, { readonly mapping: SystemMapping; readonly at: number }[]>()
  const problems: ConfigurationProblem[] = []
  const singles = new Map<string, number>()
  for (const [at, mapping] of mappings.entries()) {
    if (mapping === undefined) continue
    const single = mapping.virtualPortLow === mapping.virtualPortHigh
    const key = `${mapping.virtualHost}:${mapping.virtualPortLow}`
    // Ranges are few: only they are compared pairwise.
    const ranges = byHost.get(mapping.virtualHost) ?? []
    const clash =
      (single ? singles.get(key) : undefined) ??
      ranges.find(
        ({ mapping: other }) => mapping.virtualPortLow <= other.virtualPortHigh && other.virtualPortLow <= mapping.virtualPortHigh,
      )?.at ??
      (single ? undefined : firstSingleInside(singles, mapping))
    if (clash !== undefined) {
      const taken = mappings[clash]?.virtualText ?? ''
      problems.push({ path: [at, 'virtual'], message: `"${mapping.virtualText}" is already mapped by mapping ${clash}, ${taken}` })
      continue
    }
    if (single) singles.set(key, at)
    else byHost.set(mapping.virtualHost, [...ranges, { mapping, at }])
  }
  return problems
}

function firstSingleInside(singles: ReadonlyMap<string, number>, range: SystemMapping): number | undefined {
  for (let port = range.virtualPortLow; port <= range.virtualPortHigh; port++) {
    const at = singles.get(`${range.virtualHost}:${port}`)
    if (at !== undefined) return at
  }
  return undefined
}
