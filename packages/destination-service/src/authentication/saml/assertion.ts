import type { SamlAttribute } from './attributes.ts'
import { attributeText, elementText } from './xml-text.ts'

/** What an assertion says, SAML 2.0 core §2. Times are milliseconds since 1970. */
export interface AssertionContent {
  /** An XML name that no other assertion has. */
  readonly id: string
  readonly issuer: string
  readonly nameId: { readonly value: string; readonly format: string; readonly qualifier: string | undefined }
  readonly recipient: string
  readonly audience: string
  readonly authnContextClassRef: string
  readonly attributes: readonly SamlAttribute[]
  readonly issuedAtMs: number
  readonly notBeforeMs: number
  readonly notOnOrAfterMs: number
}

/** The assertion without signature, in one line: white space would be signed. @throws ConnectivityError `TOKEN_INVALID` for texts that XML cannot carry. */
export function formatAssertion(content: AssertionContent): string {
  const { nameId, attributes } = content
  const end = instant(content.notOnOrAfterMs)
  const issued = instant(content.issuedAtMs)
  const qualifier = nameId.qualifier === undefined ? '' : ` NameQualifier="${attributeText(nameId.qualifier)}"`
  return [
    `<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="${attributeText(content.id)}" IssueInstant="${issued}" Version="2.0">`,
    `<saml2:Issuer>${elementText(content.issuer)}</saml2:Issuer>`,
    `<saml2:Subject><saml2:NameID Format="${attributeText(nameId.format)}"${qualifier}>${elementText(nameId.value)}</saml2:NameID>`,
    '<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">',
    `<saml2:SubjectConfirmationData NotOnOrAfter="${end}" Recipient="${attributeText(content.recipient)}"/>`,
    '</saml2:SubjectConfirmation></saml2:Subject>',
    `<saml2:Conditions NotBefore="${instant(content.notBeforeMs)}" NotOnOrAfter="${end}">`,
    `<saml2:AudienceRestriction><saml2:Audience>${elementText(content.audience)}</saml2:Audience></saml2:AudienceRestriction>`,
    '</saml2:Conditions>',
    `<saml2:AuthnStatement AuthnInstant="${issued}"><saml2:AuthnContext>`,
    `<saml2:AuthnContextClassRef>${elementText(content.authnContextClassRef)}</saml2:AuthnContextClassRef>`,
    '</saml2:AuthnContext></saml2:AuthnStatement>',
    attributes.length === 0 ? '' : `<saml2:AttributeStatement>${attributes.map(formatAttribute).join('')}</saml2:AttributeStatement>`,
    '</saml2:Assertion>',
  ].join('')
}

function formatAttribute({ name, values }: SamlAttribute): string {
  const texts = values.map((value) => `<saml2:AttributeValue>${elementText(value)}</saml2:AttributeValue>`).join('')
  return `<saml2:Attribute Name="${attributeText(name)}">${texts}</saml2:Attribute>`
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}
