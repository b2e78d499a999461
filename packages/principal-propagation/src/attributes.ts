import type { ValidatedPrincipal } from './principal.ts'

/** Claims that `${name}` stands for; the first one that the token has counts. */
const nameClaims = {
  business: ['user_name', 'email', 'mail', 'user_uuid', 'sub'],
  technical: ['client_id', 'cid', 'sub', 'azp'],
} as const

const userTypes = { business: 'Business', technical: 'Technical' } as const

/**
 * The value that a variable of conditions and subject patterns has for a principal; `undefined` when the token has none.
 *
 * `user_type` and `name` are virtual. `cp.<attribute>` is the claim at the root of the token; any other attribute is looked up in `xs.user.attributes`
 * first, where applications and identity providers put their own, and at the root then. Names are case-sensitive.
 */
export function readAttribute(principal: Pick<ValidatedPrincipal, 'kind' | 'claims'>, variable: string): string | undefined {
  const { kind, claims } = principal
  if (variable === 'user_type') return userTypes[kind]
  if (variable === 'name') return readName(kind, claims)
  if (variable.startsWith('cp.')) return readText(claims, variable.slice(3))
  return readText(claims['xs.user.attributes'], variable) ?? readText(claims, variable)
}

/** What `${name}` stands for. Only root claims count: attributes that applications define must not rename a user. */
export function readName(kind: ValidatedPrincipal['kind'], claims: object): string | undefined {
  for (const claim of nameClaims[kind]) {
    const value = readText(claims, claim)
    if (value !== undefined) return value
  }
  return undefined
}

/** Texts, numbers, booleans, and lists of exactly one of them; an empty text counts as absent, as does everything else. */
function readText(owner: unknown, name: string): string | undefined {
  if (typeof owner !== 'object' || owner === null || !Object.hasOwn(owner, name)) return undefined
  const value = (owner as Readonly<Record<string, unknown>>)[name]
  const single: unknown = Array.isArray(value) ? (value.length === 1 ? value[0] : undefined) : value
  if (typeof single === 'number' || typeof single === 'boolean') return String(single)
  return typeof single === 'string' && single !== '' ? single : undefined
}
