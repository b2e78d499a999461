import type { Clock } from '@sallyport/core'
import { createTokenVerifier, namesOtherTenant, tokenHolder, type TokenVerdict, type VerifiedToken } from '@sallyport/token-verifier'
import { readName } from './attributes.ts'
import { notBeforeToleranceSeconds } from './defaults.ts'
import { formatValidationFailure } from './documented-text.ts'
import { maxCachedTokens, maxTokenBytes, maxToleranceHours, minToleranceHours } from './limits.ts'
import type { PrincipalToken, ValidatedPrincipal } from './principal.ts'
import { requireInteger } from './propagation-settings.ts'
import type { TrustList } from './trust-list.ts'

/**
 * Why a token is not accepted. `issuer` is not in the list at all, `untrusted` is switched off there, `key` is not among the synchronised ones; `tenant` is another
 * one, `application` and `person` came through the channel of the other.
 */
export type ValidationProblem =
  | Extract<TokenVerdict, { readonly valid: false }>['reason']
  | 'untrusted'
  | 'key'
  | 'tenant'
  | 'application'
  | 'person'

/** Answer of {@link PrincipalValidator.validate}; `message` is complete and names nobody. */
export type PrincipalVerdict =
  | { readonly valid: true; readonly principal: ValidatedPrincipal }
  | { readonly valid: false; readonly code: 'PRINCIPAL_NOT_TRUSTED'; readonly reason: ValidationProblem; readonly message: string }

/** Decides whether tokens are good for propagation. */
export interface PrincipalValidator {
  /** The principal of a token that has been validated before and still is valid: synchronous, for the hot path. */
  peek(token: PrincipalToken): ValidatedPrincipal | undefined
  /** Never rejects. */
  validate(token: PrincipalToken): Promise<PrincipalVerdict>
}

/** What a validator works with; fixed for its life, except for the content of the trust list. */
export interface PrincipalValidatorOptions {
  readonly trust: TrustList
  /** The subaccount that the list is of. Issuers that several subaccounts trust name the one that a token is for. */
  readonly tenant: string
  /** How long after its expiry a token is accepted, for work that still holds it. */
  readonly expirationToleranceHours: number
  readonly clock: Clock
}

/**
 * Validates tokens against the trust list of a connector, independently of what the cloud side has checked. Every request asks; verdicts are remembered
 * until the token expires or the list changes. A token of an application counts in the technical channel only, one of a person in the other only. The audience is not checked, because applications hand on tokens that were made for others.
 *
 * A validator is made for its settings: make another one when they change.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` for a tolerance outside 1 to 336 hours.
 */
export function createPrincipalValidator(options: PrincipalValidatorOptions): PrincipalValidator {
  const { trust, tenant, expirationToleranceHours, clock } = options
  requireInteger('expirationToleranceHours', expirationToleranceHours, minToleranceHours, maxToleranceHours)
  const verifier = createTokenVerifier({
    keys: trust.keys,
    clock,
    expiryToleranceSeconds: expirationToleranceHours * 3600,
    notBeforeToleranceSeconds,
    maxCachedTokens,
    maxTokenBytes,
  })
  // One principal object per verified token and kind, so that whoever remembers things about principals can use it as a key.
  const principals = {
    business: new WeakMap<VerifiedToken, ValidatedPrincipal>(),
    technical: new WeakMap<VerifiedToken, ValidatedPrincipal>(),
  }

  const principalOf = (kind: PrincipalToken['kind'], token: VerifiedToken): ValidatedPrincipal => {
    let principal = principals[kind].get(token)
    if (principal === undefined) {
      const { issuer, expiresAtSeconds, claims } = token
      principal = Object.freeze({ kind, issuer, name: readName(kind, claims), expiresAtSeconds, claims })
      principals[kind].set(token, principal)
    }
    return principal
  }

  /** What a good signature does not say: for which tenant the token is, and whether it speaks for whom its channel is. */
  const refusalOf = (kind: PrincipalToken['kind'], { claims }: VerifiedToken): ValidationProblem | undefined => {
    if (namesOtherTenant(claims, tenant)) return 'tenant'
    const holder = tokenHolder(claims)
    if (kind === 'business' && holder === 'application') return 'application'
    return kind === 'technical' && holder === 'person' ? 'person' : undefined
  }

  const explain = (reason: Extract<TokenVerdict, { readonly valid: false }>['reason'], token: string): ValidationProblem => {
    if (reason !== 'issuer') return reason
    const issuer = verifier.decode(token)?.iss
    const entry = trust.entries.find((candidate) => candidate.issuer === issuer)
    if (entry === undefined) return 'issuer'
    return entry.trusted ? 'key' : 'untrusted'
  }

  return {
    peek({ kind, token }) {
      const verified = verifier.peek(token)
      // Whoever has been made a principal of this kind has passed everything but the clock.
      return verified === undefined ? undefined : principals[kind].get(verified)
    },
    async validate({ kind, token }) {
      const verdict = await verifier.verify(token)
      if (!verdict.valid) return refused(explain(verdict.reason, token))
      const reason = refusalOf(kind, verdict.token)
      return reason === undefined ? { valid: true, principal: principalOf(kind, verdict.token) } : refused(reason)
    },
  }
}

function refused(reason: ValidationProblem): PrincipalVerdict {
  return { valid: false, code: 'PRINCIPAL_NOT_TRUSTED', reason, message: formatValidationFailure(problems[reason]) }
}

const problems: Readonly<Record<ValidationProblem, string>> = {
  malformed: 'the token is not a signed JSON Web Token with issuer, key ID and expiry',
  algorithm: 'the token is not signed with RS256 or ES256',
  issuer: 'the issuer of the token is not in the trust configuration; synchronise it if the subaccount trusts the issuer',
  untrusted: 'the issuer of the token is marked as untrusted in the trust configuration',
  key: 'the trust configuration does not have the key that signed the token; synchronise it',
  signature: 'the signature of the token is wrong; synchronise the trust configuration if keys have changed',
  expired: 'the token has expired',
  'not-yet-valid': 'the token is not valid yet; compare the clocks',
  tenant: 'the token is for another tenant than this subaccount',
  application: 'the token is that of an application, which is propagated through SAP-Connectivity-Technical-Authentication only',
  person: 'the token is that of a person, which is not propagated through SAP-Connectivity-Technical-Authentication',
  unavailable: 'the trust configuration changes at the moment; try again',
}
