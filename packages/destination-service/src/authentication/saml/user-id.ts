import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { TokenClaims } from '@sallyport/token-verifier'
import { nameIdFormats } from './name-id-format.ts'
import { selectByPath } from './json-path.ts'

/**
 * Under which name the target knows the user: what `userIdSource` points to in the token, else in the attributes that the token service keeps of the user.
 * Without `userIdSource` the format of the name decides which claim it is.
 *
 * @throws ConnectivityError `TOKEN_INVALID` when no source has it.
 */
export function userIdOf(configuration: DestinationRecord, claims: TokenClaims, info: Readonly<Record<string, unknown>>): string {
  const source = configuration['userIdSource']
  const id = source
    ? (textAt(claims, source) ?? (mayReadAttributes(claims) ? textAt(info['user_attributes'], source) : undefined))
    : textAt(claims, claimOfFormat[configuration['nameIdFormat'] || nameIdFormats.unspecified] ?? '')
  if (id !== undefined) return id
  throw new ConnectivityError('TOKEN_INVALID', 'user ID could not be determined')
}

const claimOfFormat: Readonly<Record<string, string | undefined>> = {
  [nameIdFormats.emailAddress]: 'email',
  [nameIdFormats.unspecified]: 'user_name',
}

function mayReadAttributes(claims: TokenClaims): boolean {
  return claims.scope?.includes('user_attributes') === true
}

/** A plain text is the exact name of a member, anything that begins with `$` a path. Of several values the first one counts. */
function textAt(value: unknown, source: string): string | undefined {
  const found = source.startsWith('$') ? selectByPath(value, source)?.[0] : member(value, source)
  const single: unknown = Array.isArray(found) ? found[0] : found
  if (typeof single === 'string' && single !== '') return single
  return typeof single === 'number' ? String(single) : undefined
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
