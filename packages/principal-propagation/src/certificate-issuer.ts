import { ConnectivityError, type Clock } from '@sallyport/core'
import { type CertificateAuthority, createIssuer, formatName, formatSubject, type NameAttribute } from '@sallyport/x509'
import { X509Certificate } from 'node:crypto'
import { readAttribute } from './attributes.ts'
import { certificateSkewMs, reuseReserve } from './defaults.ts'
import { encodeHeaderAsDer, type HeaderEncoder } from './header-value.ts'
import { createLeafKey, type LeafKey } from './leaf-key.ts'
import { maxCachedCertificates, maxValidityMinutes, minValidityMinutes } from './limits.ts'
import type { ValidatedPrincipal } from './principal.ts'
import { requireInteger } from './propagation-settings.ts'
import { expandSubject, selectSubjectRule } from './subject.ts'
import { variablesOf } from './subject-pattern.ts'
import { checkSubjectRules, type SubjectRule } from './subject-rule.ts'

/** A short-lived certificate that names a principal. Frozen; shared between requests. */
export interface IssuedCertificate {
  /** Text form, RFC 4514. */
  readonly subject: string
  readonly issuer: string
  readonly certificate: Buffer
  /** Value for `SSL_CLIENT_CERT`. */
  readonly headerValue: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** Why there is no certificate: no authority is configured, it is not valid now, a variable has no value, or a value cannot be in a certificate. */
export type IssueProblem = 'no-authority' | 'authority-expired' | 'authority-not-yet-valid' | 'variable' | 'value' | 'failed'

/** Answer of {@link CertificateIssuer.issue}. `problem` goes into the documented text, see `formatIssueFailure`. */
export type IssueVerdict =
  | { readonly issued: true; readonly certificate: IssuedCertificate; readonly cached: boolean }
  | { readonly issued: false; readonly code: 'PRINCIPAL_NOT_ISSUED'; readonly reason: IssueProblem; readonly problem: string }

/** What {@link CertificateIssuer.issue} would answer. `rule` is there as soon as one applies, also when nothing comes of it. */
export type CertificatePreview =
  | {
      readonly issuable: true
      readonly rule: { readonly index: number; readonly rule: SubjectRule }
      /** Text forms, RFC 4514. */
      readonly subject: string
      readonly issuer: string
      readonly notBeforeMs: number
      readonly notAfterMs: number
    }
  | {
      readonly issuable: false
      readonly rule: { readonly index: number; readonly rule: SubjectRule } | undefined
      readonly reason: IssueProblem
      readonly problem: string
    }

/** Makes certificates for principals, by rules. */
export interface CertificateIssuer {
  /** A certificate made before for this very principal object, if it can still be used: synchronous, for the hot path. */
  peek(principal: ValidatedPrincipal): IssuedCertificate | undefined
  /** Never rejects. Principals with the same subject get the same certificate while it can be used. */
  issue(principal: ValidatedPrincipal): Promise<IssueVerdict>
  /** What `issue` would decide now, without signing or remembering anything. */
  preview(principal: ValidatedPrincipal): CertificatePreview
  /**
   * A certificate (DER) as the rule at `ruleIndex` would make it for a principal with these attributes, for setting up backends.
   *
   * @throws ConnectivityError `MESSAGE_INVALID` for a rule that is not there, and for a missing, surplus or unusable variable; `PRINCIPAL_NOT_ISSUED`
   * without a usable authority.
   */
  sample(ruleIndex: number, variables: Readonly<Record<string, string>>): Promise<Buffer>
}

/** What an issuer works with; fixed for its life. */
export interface CertificateIssuerOptions {
  /** Signs the certificates, RSA or EC. `undefined`: none is configured, and every principal is refused. */
  readonly authority: CertificateAuthority | undefined
  readonly rules: readonly SubjectRule[]
  readonly validityMinutes: number
  readonly clock: Clock
  /** The key in the certificates; share one among issuers. */
  readonly leafKey?: LeafKey
  readonly encodeHeader?: HeaderEncoder
}

interface CachedCertificate {
  readonly issued: IssuedCertificate
  /** From here on it is not handed out any more. */
  readonly dropAtMs: number
}

/**
 * Issues short-lived certificates. The subject comes from the first rule that applies, the issuer name from the authority; notAfter is the validity from
 * now, but never later than that of the authority.
 *
 * An issuer is made for its authority, rules and validity: make another one when they change, and nothing made before is used again.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` for rules with problems, a validity outside 1 to 43200 minutes, or a key that does not fit the
 * certificate of the authority; `MESSAGE_INVALID` for a certificate that cannot be read.
 */
export function createCertificateIssuer(options: CertificateIssuerOptions): CertificateIssuer {
  const { rules, validityMinutes, clock, leafKey = createLeafKey(), encodeHeader = encodeHeaderAsDer } = options
  requireInteger('validityMinutes', validityMinutes, minValidityMinutes, maxValidityMinutes)
  const [ruleProblem] = checkSubjectRules(rules)
  if (ruleProblem !== undefined)
    throw new ConnectivityError('CONFIGURATION_INVALID', `rule ${ruleProblem.path.join('.')} ${ruleProblem.message}`)
  const authority = options.authority === undefined ? undefined : readAuthority(options.authority)

  const byPrincipal = new WeakMap<ValidatedPrincipal, CachedCertificate>()
  const bySubject = new Map<string, CachedCertificate>()

  const signing = new Map<string, Promise<CachedCertificate>>()

  const validityOf = (by: Authority, now: number): { readonly notBeforeMs: number; readonly notAfterMs: number } => ({
    notAfterMs: wholeSeconds(Math.min(now + validityMinutes * 60_000, by.notAfterMs)),
    notBeforeMs: wholeSeconds(Math.max(now - certificateSkewMs, by.notBeforeMs)),
  })

  /** Everything that is decided before a signature. */
  const plan = (principal: ValidatedPrincipal): CertificatePlan => {
    const selected = selectSubjectRule(rules, principal)
    const usable = usableAuthority(authority, clock.now())
    if (!('issuer' in usable)) return { selected, refusal: usable }
    if (selected === undefined) return { selected, refusal: refused('failed', 'no subject pattern rule applies') }
    const verdict = expandSubject(selected.rule.pattern, (variable) => readAttribute(principal, variable))
    if (!verdict.expanded) return { selected, refusal: refused(verdict.reason, verdict.problem) }
    return { selected, by: usable, subject: verdict.subject, text: formatName(verdict.subject) }
  }

  /** Signs; the caller has made sure that the authority is valid now. */
  const sign = async (by: Authority, subject: readonly NameAttribute[]): Promise<CachedCertificate> => {
    const publicKey = await leafKey.publicKey()
    const now = clock.now()
    const { notAfterMs, notBeforeMs } = validityOf(by, now)
    const certificate = by.issuer.issue({
      subject,
      publicKey,
      notBefore: new Date(notBeforeMs),
      notAfter: new Date(notAfterMs),
      extensions: { keyUsage: ['digitalSignature'], extendedKeyUsage: ['clientAuth'], authorityKeyIdentifier: true },
    })
    const issued = Object.freeze({
      subject: formatName(subject),
      issuer: by.subject,
      certificate,
      headerValue: encodeHeader(certificate),
      notBeforeMs,
      notAfterMs,
    })
    return { issued, dropAtMs: notAfterMs - (notAfterMs - now) * reuseReserve }
  }

  /** A user often begins with many requests at once: they wait for one signature. */
  const signOnce = (by: Authority, text: string, subject: readonly NameAttribute[]): Promise<CachedCertificate> => {
    let made = signing.get(text)
    if (made === undefined) {
      made = sign(by, subject)
        .then((cached) => {
          remember(bySubject, text, cached)
          return cached
        })
        .finally(() => signing.delete(text))
      signing.set(text, made)
    }
    return made
  }

  const peek = (principal: ValidatedPrincipal): IssuedCertificate | undefined => {
    const cached = byPrincipal.get(principal)
    return cached !== undefined && clock.now() < cached.dropAtMs ? cached.issued : undefined
  }

  return {
    peek,
    async issue(principal) {
      const known = peek(principal)
      if (known !== undefined) return { issued: true, certificate: known, cached: true }
      const planned = plan(principal)
      if ('refusal' in planned) return planned.refusal
      const same = bySubject.get(planned.text)
      if (same !== undefined && clock.now() < same.dropAtMs) {
        byPrincipal.set(principal, same)
        return { issued: true, certificate: same.issued, cached: true }
      }
      try {
        const made = await signOnce(planned.by, planned.text, planned.subject)
        byPrincipal.set(principal, made)
        return { issued: true, certificate: made.issued, cached: false }
      } catch (error) {
        return refused('failed', ConnectivityError.is(error) ? error.message : 'the key of the authority cannot sign')
      }
    },
    preview(principal) {
      const planned = plan(principal)
      if ('refusal' in planned) {
        const { problem, reason } = planned.refusal
        return { issuable: false, rule: planned.selected, reason, problem }
      }
      const { by, selected, text } = planned
      return { issuable: true, rule: selected, subject: text, issuer: by.subject, ...validityOf(by, clock.now()) }
    },
    async sample(ruleIndex, variables) {
      const rule = rules[ruleIndex]
      if (rule === undefined) throw invalidSample(`there is no rule ${ruleIndex}`)
      const wanted = variablesOf(rule.pattern)
      const missing = [...wanted].filter((variable) => !Object.hasOwn(variables, variable) || variables[variable] === '')
      const surplus = Object.keys(variables).filter((variable) => !wanted.has(variable))
      if (missing.length > 0) throw invalidSample(`a value is missing for ${missing.join(', ')}`)
      if (surplus.length > 0) throw invalidSample(`the pattern has no variable ${surplus.join(', ')}`)
      const verdict = expandSubject(rule.pattern, (variable) => variables[variable])
      if (!verdict.expanded) throw invalidSample(verdict.problem)
      const usable = usableAuthority(authority, clock.now())
      if (!('issuer' in usable)) throw new ConnectivityError(usable.code, `sample certificate: ${usable.problem}`)
      return (await sign(usable, verdict.subject)).issued.certificate
    },
  }
}

function remember(certificates: Map<string, CachedCertificate>, subject: string, cached: CachedCertificate): void {
  // Deleted first, so that the order is that of issuing and the first one is the oldest.
  certificates.delete(subject)
  const [oldest] = certificates.keys()
  if (certificates.size >= maxCachedCertificates && oldest !== undefined) certificates.delete(oldest)
  certificates.set(subject, cached)
}

interface Authority {
  readonly issuer: ReturnType<typeof createIssuer>
  readonly subject: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

function readAuthority(authority: CertificateAuthority): Authority {
  const issuer = createIssuer(authority)
  const certificate = new X509Certificate(authority.certificate)
  return {
    issuer,
    subject: formatSubject(authority.certificate),
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  }
}

type IssueRefusal = Extract<IssueVerdict, { readonly issued: false }>
type SelectedRule = NonNullable<ReturnType<typeof selectSubjectRule>>

type CertificatePlan =
  | {
      readonly selected: SelectedRule
      readonly by: Authority
      readonly subject: readonly NameAttribute[]
      /** The subject as text. */
      readonly text: string
    }
  | { readonly selected: SelectedRule | undefined; readonly refusal: IssueRefusal }

function usableAuthority(authority: Authority | undefined, nowMs: number): Authority | IssueRefusal {
  if (authority === undefined) return refused('no-authority', 'no CA certificate is configured for principal propagation')
  // A second must be left: the times of certificates have no fractions.
  if (nowMs >= authority.notAfterMs - 1000) return refused('authority-expired', 'the CA certificate for principal propagation has expired')
  if (nowMs < authority.notBeforeMs)
    return refused('authority-not-yet-valid', 'the CA certificate for principal propagation is not valid yet')
  return authority
}

function refused(reason: IssueProblem, problem: string): IssueRefusal {
  return { issued: false, code: 'PRINCIPAL_NOT_ISSUED', reason, problem }
}

function invalidSample(problem: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `sample certificate: ${problem}`)
}

function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000
}
