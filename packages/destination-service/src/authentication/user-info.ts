import { ConnectivityError } from '@sallyport/core'
import { userInfoTimeoutMs } from '../limits.ts'
import type { CallLimit } from './call-limit.ts'
import type { Outgoing } from './outgoing.ts'
import { usualTls } from './outgoing-request.ts'
import { tryParseObject } from './token-answer.ts'
import type { UserToken } from './user-token.ts'

/** What our own token service knows of a user beyond the token. */
export interface UserInfo {
  /**
   * The members of its answer; empty when the token has no scope for asking.
   *
   * @throws ConnectivityError `TOKEN_NOT_ISSUED` when the service refuses, `SERVICE_UNAVAILABLE` when too many calls are under way, or what {@link Outgoing.send} throws.
   */
  read(user: UserToken, subaccountId: string): Promise<Readonly<Record<string, unknown>>>
}

/** Either scope lets a token ask. */
const scopes: readonly string[] = ['openid', 'user_attributes']

/** Asks beside the token endpoint that the token names as its issuer. Only our own service is asked: its address is the operator's choice. */
export function createUserInfo(deps: { readonly outgoing: Outgoing; readonly limit: CallLimit; readonly closing: AbortSignal }): UserInfo {
  const { outgoing, limit, closing } = deps
  return {
    async read({ text, claims, own }, subaccountId) {
      const issuer = URL.parse(claims.iss ?? '')
      if (!own || issuer === null || !(claims.scope ?? []).some((scope) => scopes.includes(scope))) return {}
      const answer = await limit.run(subaccountId, () =>
        outgoing.send(
          {
            method: 'GET',
            origin: issuer.origin,
            path: `${issuer.pathname.replace(/\/oauth\/token\/?$/, '').replace(/\/$/, '')}/userinfo`,
            headers: { accept: 'application/json', authorization: `Bearer ${text}` },
            route: { kind: 'own-service' },
            tls: usualTls,
            connectTimeoutMs: userInfoTimeoutMs,
            readTimeoutMs: userInfoTimeoutMs,
          },
          closing,
        ),
      )
      const info = answer.status === 200 ? tryParseObject(answer.body) : undefined
      if (info !== undefined) return info
      throw new ConnectivityError('TOKEN_NOT_ISSUED', `Request to the /userinfo endpoint ended with status code ${answer.status}`)
    },
  }
}
