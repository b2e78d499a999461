import type { ConfigurationProblem, ConnectorEntry, RuleCondition } from '@sallyport/admin-api'

/** A check across the fields of one connector. Paths are relative to the connector. */
type ConnectorRule = (entry: ConnectorEntry) => readonly ConfigurationProblem[]

const oneWayToSubjects: ConnectorRule = ({ principalPropagation: { rules, subjectPattern } }) =>
  rules !== undefined && subjectPattern !== undefined
    ? [{ path: ['principalPropagation', 'subjectPattern'], message: 'either subjectPattern or rules, not both' }]
    : []

const lastRuleIsDefault: ConnectorRule = ({ principalPropagation: { rules = [] } }) =>
  rules.flatMap((rule, at) => {
    const path = ['principalPropagation', 'rules', at, 'when']
    const last = at === rules.length - 1
    if (last && rule.when !== undefined) return [{ path, message: 'the last rule is the default one and has no condition' }]
    if (!last && rule.when === undefined)
      return [{ path: path.slice(0, -1), message: 'only the last rule may be without condition (when)' }]
    return rule.when === undefined ? [] : explainCondition(rule.when).map((message) => ({ path, message }))
  })

function explainCondition({ operator, value, variable }: RuleCondition): readonly string[] {
  const compares = operator === 'is' || operator === 'is_not'
  if (compares && value === undefined) return [`operator ${operator} needs a value`]
  if (!compares && value !== undefined) return [`operator ${operator} takes no value`]
  if (variable !== 'user_type') return []
  if (!compares) return ['user_type can only be compared with is or is_not']
  return value === 'Business' || value === 'Technical' ? [] : ['user_type is Business or Technical']
}

const cookieDomainsAreUnique: ConnectorRule = ({ cookieDomains }) => {
  const seen = new Map<string, number>()
  return cookieDomains.flatMap(({ internal }, at) => {
    const key = internal.toLowerCase().replace(/^\./, '')
    const first = seen.get(key)
    if (first !== undefined)
      return [{ path: ['cookieDomains', at, 'internal'], message: `"${internal}" is already mapped by entry ${first}` }]
    seen.set(key, at)
    return []
  })
}

const cookieDomainsAreDomains: ConnectorRule = ({ cookieDomains }) =>
  cookieDomains.flatMap((domain, at) =>
    (['virtual', 'internal'] as const).flatMap((side) =>
      /^\.?[A-Za-z0-9._-]+$/.test(domain[side])
        ? []
        : [{ path: ['cookieDomains', at, side], message: `"${domain[side]}" is not a domain such as .intranet.example` }],
    ),
  )

const locationIdIsVisible: ConnectorRule = ({ locationId }) =>
  /\p{Cc}/u.test(locationId) || locationId !== locationId.trim()
    ? [{ path: ['locationId'], message: 'must not hold control characters or begin or end with blanks' }]
    : []

const rules: readonly ConnectorRule[] = [
  oneWayToSubjects,
  lastRuleIsDefault,
  cookieDomainsAreDomains,
  cookieDomainsAreUnique,
  locationIdIsVisible,
]

/** Everything that is wrong between the fields of one connector; mappings have rules of their own. */
export function checkConnector(entry: ConnectorEntry): readonly ConfigurationProblem[] {
  return rules.flatMap((rule) => rule(entry))
}

/** Connectors that have the subaccount and location ID of an earlier one. */
export function findSameConnectors(entries: readonly ConnectorEntry[]): readonly ConfigurationProblem[] {
  return entries.flatMap((entry, at) => {
    const first = entries.findIndex((other) => other.locationId === entry.locationId && other.subaccount === entry.subaccount)
    if (first === at) return []
    return [{ path: [at, 'locationId'], message: `location ID "${entry.locationId}" is already used by connector ${first}` }]
  })
}
