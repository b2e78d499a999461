import type { Flow } from '../flow.ts'
import { required } from '../property-reading.ts'
import { assertionAuthority } from '../saml/signing-key.ts'
import { assertionSubject, createUserAssertion } from '../saml/user-assertion.ts'

/** `SAMLAssertion`: the assertion itself goes to the target. Each one is new, because targets may take an assertion once only. */
export const samlAssertion: Flow = async (request, tools) => {
  const subject = await assertionSubject(request, tools)
  const authority = await assertionAuthority(request, { readKeystore: tools.readKeystore, landscape: tools.settings.landscape })
  const recipient = required(request.configuration, 'URL')
  const value = await createUserAssertion(request, { subject, authority, recipient, encoding: 'base64' }, tools)
  return { type: 'SAML2.0', value, http_header: { key: 'Authorization', value: `SAML2.0 ${value}` } }
}
