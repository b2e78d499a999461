import { defaultLdapTimeoutMs, maxLdapTimeoutMs } from '../limits.ts'
import { invalidRequest } from '../rest/rest-error.ts'

/** How users and their roles are found in a directory, from a text such as `userBase="ou=people,o=acme" userSearch="(uid={0})"` (cloud-connector.md §5.2). */
export interface SearchRules {
  readonly userBase: string
  /** Filter; `{0}` is the user. */
  readonly userSearch: string
  readonly userSubtree: boolean
  /** Attribute of the user whose values are roles. */
  readonly userRoleName?: string | undefined
  readonly roleBase?: string | undefined
  /** Filter; `{0}` is the distinguished name of the user, `{1}` the user. */
  readonly roleSearch?: string | undefined
  /** Attribute of a group whose values are roles. */
  readonly roleName?: string | undefined
  readonly roleSubtree: boolean
  /** Passes over references to other directories, which Active Directory gives. Without it they fail the search. */
  readonly adCompat: boolean
  /** Writes what is escaped in distinguished names as hexadecimal digits. */
  readonly forceDnHexEscape: boolean
  readonly connectionTimeoutMs: number
}

const texts = ['userBase', 'userSearch', 'userRoleName', 'roleBase', 'roleSearch', 'roleName'] as const
const flags = ['userSubtree', 'roleSubtree', 'adCompat', 'forceDnHexEscape'] as const
const known: readonly string[] = [...texts, ...flags, 'connectionTimeout']

/** Reads the text. @throws RestError 400 for unknown or missing names, and for what is not `name="value"`. */
export function parseSearchRules(config: string): SearchRules {
  const pairs = readPairs(config)
  const flag = (name: (typeof flags)[number]): boolean => {
    const value = pairs.get(name) ?? 'false'
    if (value !== 'true' && value !== 'false') throw invalidRequest(`config: ${name} is true or false`)
    return value === 'true'
  }
  const needed = (name: 'userBase' | 'userSearch'): string => {
    const value = pairs.get(name)
    if (value === undefined || value === '') throw invalidRequest(`config: ${name} is missing`)
    return value
  }
  const filter = (name: 'userSearch' | 'roleSearch', value: string): string => {
    if (!value.includes('{0}') && !(name === 'roleSearch' && value.includes('{1}')))
      throw invalidRequest(`config: ${name} has no {0} for the user`)
    // A backslash is written twice here; filters have another way (RFC 4515).
    const written = value.replaceAll('\\\\', '\\5c')
    return written.startsWith('(') ? written : `(${written})`
  }
  const roleSearch = pairs.get('roleSearch')
  if (roleSearch !== undefined && (pairs.get('roleName') ?? '') === '') throw invalidRequest('config: roleSearch needs a roleName')
  return {
    userBase: needed('userBase'),
    userSearch: filter('userSearch', needed('userSearch')),
    userSubtree: flag('userSubtree'),
    userRoleName: pairs.get('userRoleName'),
    roleBase: pairs.get('roleBase') ?? '',
    roleSearch: roleSearch === undefined ? undefined : filter('roleSearch', roleSearch),
    roleName: pairs.get('roleName'),
    roleSubtree: flag('roleSubtree'),
    adCompat: flag('adCompat'),
    forceDnHexEscape: flag('forceDnHexEscape'),
    connectionTimeoutMs: readTimeout(pairs.get('connectionTimeout')),
  }
}

function readPairs(config: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  // Sticky: whatever stands between two pairs is an error, not skipped.
  const pair = /\s*([A-Za-z]+)\s*=\s*"([^"]*)"\s*/y
  for (let at = 0; at < config.length; at = pair.lastIndex) {
    pair.lastIndex = at
    const [, name, value] = pair.exec(config) ?? []
    if (name === undefined || value === undefined) throw invalidRequest(`config: name="value" is expected at character ${at + 1}`)
    if (name === 'userPattern')
      throw invalidRequest('config: userPattern cannot be used, because a standby could not take it over; use userSearch')
    if (!known.includes(name)) throw invalidRequest(`config: ${name} is not known; there are ${known.join(', ')}`)
    if (pairs.has(name)) throw invalidRequest(`config: ${name} stands there twice`)
    pairs.set(name, value)
  }
  return pairs
}

function readTimeout(text: string | undefined): number {
  if (text === undefined) return defaultLdapTimeoutMs
  const milliseconds = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (milliseconds < 1 || milliseconds > maxLdapTimeoutMs)
    throw invalidRequest(`config: connectionTimeout is 1 to ${maxLdapTimeoutMs} milliseconds`)
  return milliseconds
}
