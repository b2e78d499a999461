import { randomUUID } from 'node:crypto'
import type { AuthenticationRequest } from '../authentication-request.ts'
import { samlNotBeforeMs, samlValidityMs } from '../../limits.ts'
import type { FlowTools } from '../flow.ts'
import { isTrue, required } from '../property-reading.ts'
import type { UserToken } from '../user-token.ts'
import { formatAssertion } from './assertion.ts'
import { attributesOf } from './attributes.ts'
import { nameIdFormats } from './name-id-format.ts'
import { signAssertion } from './signature.ts'
import type { AssertionAuthority } from './signing-key.ts'
import { userIdOf } from './user-id.ts'

/** Whose assertion it is: a user, or the fixed name of the deprecated `SystemUser`. */
export type AssertionSubject = { readonly user: UserToken } | { readonly systemUser: string }

/**
 * Finds out whose assertion a destination asks for.
 *
 * @throws ConnectivityError `TOKEN_INVALID` when a user is needed and there is none.
 */
export async function assertionSubject(request: AuthenticationRequest, { users }: Pick<FlowTools, 'users'>): Promise<AssertionSubject> {
  const systemUser = request.configuration['SystemUser']
  return systemUser ? { systemUser } : { user: await users.require(request) }
}

/**
 * A signed assertion about the user, encoded as the destination says.
 *
 * @throws ConnectivityError when the destination lacks something, the user cannot be named, or the token service refuses to tell about them.
 */
export async function createUserAssertion(
  { configuration, level }: AuthenticationRequest,
  parts: {
    readonly subject: AssertionSubject
    readonly authority: AssertionAuthority
    readonly recipient: string
    readonly encoding: 'base64' | 'base64url'
  },
  { userInfo, clock }: Pick<FlowTools, 'userInfo' | 'clock'>,
): Promise<string> {
  const { subject, authority } = parts
  const named = 'user' in subject
  const info = named ? await userInfo.read(subject.user, level.subaccountId) : {}
  const claims = named ? subject.user.claims : {}
  const now = clock.now()
  const xml = formatAssertion({
    id: `_${randomUUID()}`,
    issuer: authority.issuer,
    nameId: {
      value: named ? userIdOf(configuration, claims, info) : subject.systemUser,
      format: configuration['nameIdFormat'] || nameIdFormats.unspecified,
      qualifier: configuration['nameQualifier'] || undefined,
    },
    recipient: configuration['assertionRecipient'] || parts.recipient,
    audience: required(configuration, 'audience'),
    authnContextClassRef: required(configuration, 'authnContextClassRef'),
    attributes: attributesOf(configuration, claims, info),
    issuedAtMs: now,
    notBeforeMs: now - samlNotBeforeMs,
    notOnOrAfterMs: now + samlValidityMs,
  })
  const signed = signAssertion(xml, authority, { withCertificate: isTrue(configuration, 'includeSigningCertificateInSAMLAssertion') })
  const wanted = configuration['samlAssertionEncoding']?.trim().toLowerCase()
  return Buffer.from(signed, 'utf8').toString(wanted === 'base64' || wanted === 'base64url' ? wanted : parts.encoding)
}
