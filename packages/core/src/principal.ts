import type { Secret } from './secret.ts'

/**
 * An identity that somebody else has authenticated and that travels as a token. A `business` principal is a person,
 * a `technical` one an application. Whoever receives it validates the token; nobody trusts the kind alone.
 */
export interface Principal {
  readonly kind: 'business' | 'technical'
  /** Compact JSON Web Token, without scheme prefix. */
  readonly token: Secret
}
