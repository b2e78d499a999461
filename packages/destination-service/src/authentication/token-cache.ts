import type { Clock } from '@sallyport/core'
import { maxCachedTokenCharacters, maxCachedTokens, tokenRenewalSeconds } from '../limits.ts'
import type { CallLimit } from './call-limit.ts'
import type { IssuedToken } from './token-answer.ts'

/** Remembers tokens until shortly before they expire, and lets calls for the same token share one request. */
export interface TokenCache {
  /**
   * The remembered token of that key, or what `issue` returns; failures are not remembered.
   *
   * @throws ConnectivityError `SERVICE_UNAVAILABLE` when too many token calls are under way, in total or for the subaccount; otherwise what `issue` throws.
   */
  get(key: TokenKey, issue: () => Promise<IssuedToken>): Promise<IssuedToken>
  /** As `get`, for tokens that nobody else may have: nothing is remembered or shared. */
  issueAlone(subaccountId: string, issue: () => Promise<IssuedToken>): Promise<IssuedToken>
}

/** Which token is meant, and on whose account a call for it goes. */
interface TokenKey {
  /** Names everything that the token depends on. */
  readonly digest: string
  readonly subaccountId: string
}

/** Makes an empty cache. Its bounds are in `limits.ts`; `limit` counts the calls. */
export function createTokenCache({ clock, limit }: { readonly clock: Clock; readonly limit: CallLimit }): TokenCache {
  const tokens = new Map<string, IssuedToken>()
  const pending = new Map<string, Promise<IssuedToken>>()
  let characters = 0

  const forget = (digest: string): void => {
    const token = tokens.get(digest)
    if (token === undefined) return
    tokens.delete(digest)
    characters -= sizeOf(token)
  }

  const remember = (digest: string, token: IssuedToken): void => {
    forget(digest)
    if (!isFresh(token, clock.now())) return
    tokens.set(digest, token)
    characters += sizeOf(token)
    for (const oldest of tokens.keys()) {
      if (tokens.size <= maxCachedTokens && characters <= maxCachedTokenCharacters) break
      forget(oldest)
    }
  }

  const issueAlone: TokenCache['issueAlone'] = (subaccountId, issue) => limit.run(subaccountId, issue)

  const issueAndRemember = async ({ digest, subaccountId }: TokenKey, issue: () => Promise<IssuedToken>): Promise<IssuedToken> => {
    const token = await issueAlone(subaccountId, issue)
    remember(digest, token)
    return token
  }

  return {
    issueAlone,
    get(key, issue) {
      const known = tokens.get(key.digest)
      if (known !== undefined && isFresh(known, clock.now())) {
        // Used last goes last.
        tokens.delete(key.digest)
        tokens.set(key.digest, known)
        return Promise.resolve(known)
      }
      forget(key.digest)
      const running = pending.get(key.digest)
      if (running !== undefined) return running
      const issued = issueAndRemember(key, issue).finally(() => pending.delete(key.digest))
      pending.set(key.digest, issued)
      return issued
    },
  }
}

function isFresh(token: IssuedToken, nowMs: number): boolean {
  return token.expiresAtMs !== undefined && token.expiresAtMs - nowMs >= tokenRenewalSeconds * 1_000
}

function sizeOf(token: IssuedToken): number {
  return token.value.length + (token.scope?.length ?? 0) + (token.refreshToken?.length ?? 0)
}
