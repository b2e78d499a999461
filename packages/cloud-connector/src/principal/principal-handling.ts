import type {
  CertificateIssuer,
  CertificatePreview,
  IssuedCertificate,
  PrincipalValidator,
  ValidatedPrincipal,
} from '@sallyport/principal-propagation'
import type { WirePrincipal } from '@sallyport/tunnel'
import { type AddedHeaders, certificateHeaders } from '../http/request-transformation.ts'

/** A principal for which there is a certificate. */
interface IssuedPrincipal {
  readonly kind: 'issued'
  /** The principal's name, for audit entries and texts. */
  readonly user: string
  readonly headers: AddedHeaders
  readonly certificate: IssuedCertificate
}

/** What became of a principal. */
export type PrincipalVerdict =
  | IssuedPrincipal
  /** `message` is complete. */
  | { readonly kind: 'not-trusted'; readonly user: string; readonly message: string }
  /** `problem` belongs behind the documented sentence. */
  | { readonly kind: 'not-issued'; readonly user: string; readonly problem: string }

/** What would become of a principal: {@link PrincipalVerdict} with its grounds, and nothing made. */
export type PrincipalPreview =
  | { readonly kind: 'not-trusted'; readonly message: string }
  | {
      readonly kind: 'trusted'
      /** The principal's name, for audit entries and texts. */
      readonly user: string
      readonly tokenIssuer: string
      readonly expiresAtMs: number
      readonly certificate: CertificatePreview
    }

/** From a token on the wire to a header for the backend. */
export interface PrincipalHandling {
  /** Synchronous: the certificate of a principal that was here before and is still good in every respect. */
  peek(principal: WirePrincipal): IssuedPrincipal | undefined
  /** Calls back between validation and issuing. */
  issue(principal: WirePrincipal, onValidated?: () => void): Promise<PrincipalVerdict>
  /** Only looks whether the token is to be believed, and whose it is: no name is `undefined`. */
  validate(
    principal: WirePrincipal,
  ): Promise<
    | { readonly kind: 'trusted'; readonly name: string | undefined }
    | { readonly kind: 'not-trusted'; readonly user: string; readonly message: string }
  >
  /** The principal's name for the audit log, where nothing is issued; says so when the token does not verify. */
  identify(principal: WirePrincipal): Promise<string>
  /** What `issue` would answer, and by which rule; nothing is issued or remembered. */
  preview(principal: WirePrincipal): Promise<PrincipalPreview>
}

const notVerified = '(not verified)'
/** Stands for the name of a principal that has none. */
export const unnamed = '(unnamed)'

/** Joins validation and issuing, and remembers what was made of each principal. Tokens are validated for every request all the same. */
export function createPrincipalHandling(options: {
  readonly validator: PrincipalValidator
  readonly issuer: CertificateIssuer
}): PrincipalHandling {
  const { issuer, validator } = options
  const made = new WeakMap<ValidatedPrincipal, IssuedPrincipal>()

  const issued = (principal: ValidatedPrincipal, certificate: IssuedCertificate): IssuedPrincipal => {
    const known = made.get(principal)
    if (known?.certificate === certificate) return known
    const fresh: IssuedPrincipal = {
      kind: 'issued',
      user: principal.name ?? unnamed,
      headers: certificateHeaders(certificate.headerValue),
      certificate,
    }
    made.set(principal, fresh)
    return fresh
  }

  return {
    peek(token) {
      const principal = validator.peek(token)
      if (principal === undefined) return undefined
      const certificate = issuer.peek(principal)
      return certificate === undefined ? undefined : issued(principal, certificate)
    },
    async issue(token, onValidated) {
      const verdict = await validator.validate(token)
      onValidated?.()
      if (!verdict.valid) return { kind: 'not-trusted', user: notVerified, message: verdict.message }
      const { principal } = verdict
      const answer = await issuer.issue(principal)
      if (answer.issued) return issued(principal, answer.certificate)
      return { kind: 'not-issued', user: principal.name ?? unnamed, problem: answer.problem }
    },
    async validate(token) {
      const verdict = await validator.validate(token)
      if (!verdict.valid) return { kind: 'not-trusted', user: notVerified, message: verdict.message }
      return { kind: 'trusted', name: verdict.principal.name }
    },
    async identify(token) {
      const verdict = await validator.validate(token)
      return verdict.valid ? (verdict.principal.name ?? unnamed) : notVerified
    },
    async preview(token) {
      const verdict = await validator.validate(token)
      if (!verdict.valid) return { kind: 'not-trusted', message: verdict.message }
      const { expiresAtSeconds, issuer: tokenIssuer, name = unnamed } = verdict.principal
      const certificate = issuer.preview(verdict.principal)
      return { kind: 'trusted', user: name, tokenIssuer, expiresAtMs: expiresAtSeconds * 1000, certificate }
    },
  }
}
