import type { ConfigurationProblem, ConnectorEntry } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { checkSubjectRules, parseSubjectPattern, type SubjectPattern } from '@sallyport/principal-propagation'

/** A check across the fields of one connector. Paths are relative to the connector. */
type ConnectorRule = (entry: ConnectorEntry) => readonly ConfigurationProblem[]

const oneWayToSubjects: ConnectorRule = ({ principalPropagation: { rules, subjectPattern } }) =>
  rules !== undefined && subjectPattern !== undefined
    ? [{ path: ['principalPropagation', 'subjectPattern'], message: 'either subjectPattern or rules, not both' }]
    : []

const subjectsAreUsable: ConnectorRule = ({ principalPropagation: { rules, subjectPattern } }) => {
  const problems: ConfigurationProblem[] = []
  const read = (text: string, path: readonly (string | number)[]): SubjectPattern => {
    try {
      return parseSubjectPattern(text)
    } catch (error) {
      problems.push({ path, message: ConnectivityError.is(error) ? error.message : 'is not a subject' })
      return { CN: 'reported above' }
    }
  }
  if (subjectPattern !== undefined) read(subjectPattern, ['principalPropagation', 'subjectPattern'])
  if (rules === undefined) return problems
  const written = rules.map(({ subject, when }, at) => ({
    condition: when,
    pattern: read(subject, ['principalPropagation', 'rules', at, 'subject']),
  }))
  const found = checkSubjectRules(written).map(({ message, path: [at = 0, part, ...rest] }) => ({
    path: ['principalPropagation', 'rules', at, ...(part === 'condition' ? ['when', ...rest] : [])],
    message,
  }))
  return [...problems, ...found]
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
  subjectsAreUsable,
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
