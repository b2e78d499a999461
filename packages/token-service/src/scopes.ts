import type { OAuthClient } from './oauth-client.ts'
import type { TokenUser } from './user.ts'
import { refusal } from './token-errors.ts'

/** Scopes of a technical token: the client's authorities, narrowed to what was asked for. */
export function technicalScopes(client: OAuthClient, requested: readonly string[] | undefined): readonly string[] {
  return narrow(client.authorities, requested)
}

/**
 * Scopes of a user token: `openid` and what the user's groups give for this client, narrowed to what was asked for.
 *
 * Asking for more than there is grants the rest, and `scope` of the answer says so; asking only for what is not there is refused.
 */
export function userScopes(client: OAuthClient, user: TokenUser, requested: readonly string[] | undefined): readonly string[] {
  const granted = client.scopes
    .filter(({ groups }) => groups === 'everyone' || groups.some((group) => user.groups.includes(group)))
    .map(({ name }) => name)
  return narrow([...new Set(['openid', ...granted])], requested)
}

/** Audience: the client itself and the applications whose scopes are inside, so that each of them accepts the token. */
export function audienceOf(client: OAuthClient, scopes: readonly string[], kind: 'technical' | 'user'): readonly string[] {
  const applications = scopes.map((scope) => scope.slice(0, Math.max(0, scope.lastIndexOf('.')))).filter((name) => name !== '')
  return [...new Set([client.id, ...(kind === 'user' ? ['openid', client.xsappname] : []), ...applications])]
}

function narrow(available: readonly string[], requested: readonly string[] | undefined): readonly string[] {
  if (requested === undefined) return available
  const scopes = available.filter((scope) => requested.includes(scope))
  if (scopes.length === 0) throw refusal(400, 'invalid_scope', 'None of the requested scopes can be granted')
  return scopes
}
