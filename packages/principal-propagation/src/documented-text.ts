import { maxShownNameCharacters } from './limits.ts'

/** Sentences that administrators search for; they stand in answers exactly like this. */

/** Answer to a token that does not pass the trust of the connector. */
export function formatValidationFailure(problem: string): string {
  return `SSO token validation failed: ${problem}`
}

/** Answer when a principal is trusted, but no credential can be made for it. */
export function formatIssueFailure(failure: {
  readonly user: string | undefined
  readonly system: string
  readonly problem: string
}): string {
  return `Unable to generate authorization token for user ${shown(failure.user)} on system ${failure.system}: ${failure.problem}`
}

/** Answer when a certificate would travel over a connection on which the connector has not proved who it is. */
export function formatNotMutuallyAuthenticated(failure: { readonly user: string | undefined; readonly system: string }): string {
  return `Principal propagation forbidden for user ${shown(failure.user)} on system ${failure.system}, because the backend connection is not mutually authenticated.`
}

/** A name comes out of a token: it must not break lines or fill pages. */
function shown(user: string | undefined): string {
  return (user ?? '(unnamed)').slice(0, maxShownNameCharacters).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu, '?')
}
