import type { TokenClaims } from './types.ts'

/** Claims that decide about tenant and client: of another type, the token is refused. */
const identityClaims = ['iss', 'sub', 'zid', 'app_tid', 'cid', 'client_id', 'azp', 'grant_type'] as const

/** Claims that identity providers fill from directories: usually texts, sometimes lists of one. */
const userClaims = ['user_name', 'user_id', 'user_uuid', 'email', 'origin'] as const

const times = ['exp', 'nbf', 'iat'] as const

/** `nbf` and `iat` reach far enough for every date there is; the bound keeps arithmetic exact. */
const maxSeconds = 253_402_300_800

/**
 * Brings claims into the shape that {@link TokenClaims} promises, and freezes them. Claims that it does not name stay as they are.
 *
 * A `null` claim is absent. A `scope` written as one text (RFC 9068) becomes a list. A user claim that is a list of one becomes its element, numbers and
 * booleans become texts, anything else there counts as absent. `undefined` when a claim that decides has a wrong type.
 */
export function readClaims(payload: Readonly<Record<string, unknown>>): TokenClaims | undefined {
  const claims: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, value] of Object.entries(payload)) if (value !== null) claims[name] = value
  for (const name of identityClaims) if (name in claims && typeof claims[name] !== 'string') return undefined
  for (const name of times) if (name in claims && !isTime(claims[name])) return undefined
  for (const name of userClaims) if (name in claims) setOrDrop(claims, name, asText(claims[name]))
  if (typeof claims['scope'] === 'string') claims['scope'] = claims['scope'].split(' ').filter((scope) => scope !== '')
  if ('scope' in claims && !isTexts(claims['scope'])) return undefined
  if ('aud' in claims && typeof claims['aud'] !== 'string' && !isTexts(claims['aud'])) return undefined
  if ('ext_attr' in claims && !isExtension(claims['ext_attr'])) return undefined
  deepFreeze(claims)
  return claims
}

function setOrDrop(claims: Record<string, unknown>, name: string, value: string | undefined): void {
  if (value === undefined) delete claims[name]
  else claims[name] = value
}

function asText(value: unknown): string | undefined {
  const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (typeof single === 'string') return single
  return typeof single === 'number' || typeof single === 'boolean' ? String(single) : undefined
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= maxSeconds
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isExtension(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const members = value as Record<string, unknown>
  return ['enhancer', 'zdn', 'subaccountid', 'serviceinstanceid'].every(
    (name) => members[name] === undefined || typeof members[name] === 'string',
  )
}

/** Without recursion: a hostile payload may be nested as deep as it is long. */
function deepFreeze(root: object): void {
  const open: object[] = [root]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    Object.freeze(value)
    for (const member of Object.values(value) as unknown[]) if (typeof member === 'object' && member !== null) open.push(member)
  }
}
