import type { TokenClaims } from './types.ts'

/**
 * Claim in which a token of the token service carries the one with which a corporate identity provider has vouched for the user (principal-propagation.md §11).
 * The original's name for it is not known; it is written and read under this one only.
 */
export const embeddedTokenClaim = 'corporate_idp_token'

/**
 * The token that another one carries; `undefined` when it carries none. Anything but a text counts as an empty one, which nobody accepts: whoever wanted another
 * subject than that of the outer token must not get the outer one.
 */
export function embeddedTokenOf(claims: TokenClaims): string | undefined {
  const embedded = claims[embeddedTokenClaim]
  if (embedded === undefined) return undefined
  return typeof embedded === 'string' ? embedded : ''
}
