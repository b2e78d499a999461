/**
 * From token to certificate: validates the token of a principal against the connector's own trust list, makes a subject of it by rules, and issues the
 * short-lived certificate that a backend maps to one of its users.
 *
 * @example
 * const trust = createTrustList()
 * trust.synchronise([{ issuer: 'https://tokens.example.org/oauth/token', name: 'Example', type: 'OAUTH2', keys: jwks.keys }])
 * const validator = createPrincipalValidator({ trust, tenant: 'demo', expirationToleranceHours: 2, clock: systemClock })
 * const issuer = createCertificateIssuer({ authority, rules: defaultSubjectRules, validityMinutes: 60, clock: systemClock })
 * const verdict = await validator.validate({ kind: 'business', token })
 * const answer = verdict.valid ? await issuer.issue(verdict.principal) : verdict
 *
 * @packageDocumentation
 */
export { readAttribute } from './attributes.ts'
export { type AuthorityKey, createAuthorityRequest, createCertificateAuthority, explainAuthority } from './certificate-authority.ts'
export {
  type CertificateIssuer,
  type CertificateIssuerOptions,
  type CertificatePreview,
  createCertificateIssuer,
  type IssuedCertificate,
  type IssueProblem,
  type IssueVerdict,
} from './certificate-issuer.ts'
export { defaultToleranceHours, defaultValidityMinutes } from './defaults.ts'
export { formatIssueFailure, formatNotMutuallyAuthenticated, formatValidationFailure } from './documented-text.ts'
export { encodeHeaderAsDer, encodeHeaderAsPem, type HeaderEncoder } from './header-value.ts'
export { createLeafKey, type LeafKey } from './leaf-key.ts'
export type { PrincipalToken, ValidatedPrincipal } from './principal.ts'
export {
  createPrincipalValidator,
  type PrincipalValidator,
  type PrincipalValidatorOptions,
  type PrincipalVerdict,
  type ValidationProblem,
} from './principal-validator.ts'
export { parsePropagationSettings, type PropagationSettings } from './propagation-settings.ts'
export type { RuleProblem } from './rule-problem.ts'
export { type AttributeLookUp, expandSubject, selectSubjectRule, type SubjectVerdict } from './subject.ts'
export {
  checkSubjectPattern,
  parseSubjectPattern,
  type SubjectField,
  subjectFields,
  type SubjectPattern,
  variablesOf,
} from './subject-pattern.ts'
export {
  addSubjectRule,
  checkSubjectRules,
  defaultSubjectRules,
  deleteSubjectRule,
  formatCondition,
  moveSubjectRule,
  replaceSubjectRule,
  type RuleCondition,
  type SubjectRule,
} from './subject-rule.ts'
export { createTrustList, type SynchronisedIssuer, type TrustChanges, type TrustEntry, type TrustList } from './trust-list.ts'
