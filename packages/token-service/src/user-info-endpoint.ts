import type { GrantDeps, TokenRequest } from './token-endpoint.ts'
import { refusal } from './token-errors.ts'

/** What `/userinfo` tells: the names of OpenID Connect and those of XSUAA. */
export type UserInfoAnswer = Readonly<Record<string, unknown>>

/**
 * Tells about the user of an access token, as the user is now (OpenID Connect Core §5.3). Besides the usual members `user_attributes` has those that an
 * administrator has given the user.
 *
 * @throws ConnectivityError, see {@link refusal}: 401 `invalid_token` for a token that is not one of our user tokens or whose user has gone, 403
 * `insufficient_scope` without the scope `openid`.
 */
export async function answerUserInfo(
  { authorization, note }: Pick<TokenRequest, 'authorization' | 'note'>,
  { assertions, tenants }: Pick<GrantDeps, 'assertions' | 'tenants'>,
): Promise<UserInfoAnswer> {
  const token = /^bearer +([\w.-]+) *$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw refusal(401, 'invalid_token', '/userinfo needs Authorization: Bearer with a user token')
  const { zid = '', scope = [] } = await assertions.ownClaims(token)
  const tenant = await tenants.findById(zid)
  if (tenant === undefined) throw refusal(401, 'invalid_token', 'The tenant of the token does not exist any more')
  note({ subaccount: tenant.id })
  if (!scope.includes('openid')) throw refusal(403, 'insufficient_scope', 'The token needs the scope openid')
  const { user } = await assertions.read(token, tenant)
  const { id, name, email, givenName, familyName } = user
  const fullName = [givenName, familyName].filter((part) => part !== undefined).join(' ')
  return {
    sub: id,
    user_id: id,
    user_uuid: id,
    user_name: name,
    origin: user.origin,
    ...(fullName === '' ? {} : { name: fullName }),
    ...(email === undefined ? {} : { email }),
    ...(givenName === undefined ? {} : { given_name: givenName }),
    ...(familyName === undefined ? {} : { family_name: familyName }),
    ...(Object.keys(user.attributes).length === 0 ? {} : { user_attributes: user.attributes }),
  }
}
