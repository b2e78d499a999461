import { tokenEntry } from '../auth-token-entry.ts'
import type { AuthenticationRequest } from '../authentication-request.ts'
import type { Flow, FlowTools } from '../flow.ts'
import type { OutgoingRequest } from '../outgoing-request.ts'
import { requiredHeader } from '../required-header.ts'
import { assertionAuthority } from '../saml/signing-key.ts'
import { assertionSubject, createUserAssertion } from '../saml/user-assertion.ts'
import type { IssuedToken } from '../token-answer.ts'

/** `OAuth2SAMLBearerAssertion` (RFC 7522): an assertion about the user, made here or sent by the caller, becomes a token. */
export const samlBearerAssertion: Flow = async (request, tools) => {
  const token =
    request.configuration['SAMLAssertionProvider'] === 'ClientProvided'
      ? await withGivenAssertion(request, tools)
      : await withOwnAssertion(request, tools)
  return tokenEntry(token, tools.clock.now())
}

async function withGivenAssertion(request: AuthenticationRequest, tools: FlowTools): Promise<IssuedToken> {
  const call = await prepare(request, tools, requiredHeader(request.headers.samlAssertion, 'X-samlAssertion'))
  return tools.tokens.remembered(request, call, () => tools.tokens.issue(call))
}

/** The assertion is new each time, so the token is remembered by what goes into it. */
async function withOwnAssertion(request: AuthenticationRequest, tools: FlowTools): Promise<IssuedToken> {
  const { tokens, settings, readKeystore } = tools
  const subject = await assertionSubject(request, tools)
  const authority = await assertionAuthority(request, { readKeystore, landscape: settings.landscape })
  const call = await prepare(request, tools, placeholder)
  const about = 'user' in subject ? subject.user.text : subject
  return tokens.remembered(request, [request.configuration, about, authority.certificate, authority.issuer, call], async () => {
    const recipient = call.origin + (call.path.split('?', 1)[0] ?? '')
    const assertion = await createUserAssertion(request, { subject, authority, recipient, encoding: 'base64url' }, tools)
    return tokens.issue(withAssertion(call, assertion))
  })
}

const placeholder = 'assertion-goes-here'

function withAssertion(call: OutgoingRequest, assertion: string): OutgoingRequest {
  const form = new URLSearchParams(call.body)
  // A field that the destination sets itself stays as it is.
  if (form.get('assertion') === placeholder) form.set('assertion', assertion)
  return { ...call, body: form.toString() }
}

function prepare(request: AuthenticationRequest, { tokens }: FlowTools, assertion: string): Promise<OutgoingRequest> {
  const companyId = request.configuration['companyId']
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:saml2-bearer',
    assertion,
    ...(companyId ? { company_id: companyId } : {}),
  }
  return tokens.prepare(request, { grant, tenant: 'user', clientProperty: 'clientKey' })
}
