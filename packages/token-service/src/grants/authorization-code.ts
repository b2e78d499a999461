import { createHash } from 'node:crypto'
import { equalTexts, hashGrant } from '../client-secret.ts'
import type { AuthorizationCode } from '../grant-store.ts'
import { type RequestParameters, requiredParameter } from '../request-parameters.ts'
import { admittedTenant } from '../tenant-selection.ts'
import type { GrantDeps, GrantRequest } from '../token-endpoint.ts'
import { refusal } from '../token-errors.ts'
import type { TokenAnswer } from '../token-issuer.ts'

/**
 * `authorization_code`: the code of a log-on becomes tokens, once.
 *
 * A refused exchange uses the code up as a successful one does. One that fails inside the service does not: clients try again, and the user should not have to
 * log on again for our defect. A code that comes a second time was stolen from one of the two, so the refresh token of the first is taken back.
 */
export async function authorizationCodeGrant(request: GrantRequest, deps: GrantDeps): Promise<TokenAnswer> {
  const { client, certificateThumbprint } = request.authenticated
  const { grants } = deps
  const hash = hashGrant('code', requiredParameter(request.parameters, 'code'))
  const refused = refusal(400, 'invalid_grant', 'The authorization code is not valid')
  const code = await grants.find('code', hash)
  if (code === undefined) throw refused
  const tenant = await deps.tenants.findById(code.tenantId)
  const user = await deps.assertions.recall(code.user, code.tenantId)
  const sameTenant = request.named === undefined || request.named.id === code.tenantId
  if (tenant === undefined || user === undefined || !sameTenant || code.clientId !== client.id || !fits(code, request.parameters)) {
    await grants.remove('code', hash)
    throw refused
  }
  request.note({ subaccount: tenant.id })
  await admittedTenant(client, tenant, deps)
  const answer = await deps.issuer.user({
    tenant,
    client,
    certificateThumbprint,
    requested: code.scopes,
    user,
    grantType: 'authorization_code',
    authTimeSeconds: code.authTimeSeconds,
    refresh: { kind: 'new', user: code.user },
    idToken: { nonce: code.nonce },
  })
  const refreshHash = answer.refresh_token === undefined ? '' : hashGrant('refresh', answer.refresh_token)
  const redeemed = await grants.redeemCode(hash, refreshHash)
  if (redeemed.kind === 'redeemed') return answer
  await grants.remove('refresh', refreshHash)
  if (redeemed.kind === 'used') await grants.remove('refresh', redeemed.refreshHash)
  throw refused
}

/** Same redirect target as at the log-on, and the verifier to its challenge (RFC 7636 §4.6). A verifier without a challenge is refused as well. */
function fits(code: AuthorizationCode, parameters: RequestParameters): boolean {
  const verifier = parameters.get('code_verifier')
  if (parameters.get('redirect_uri') !== code.redirectUri) return false
  if (code.codeChallenge === undefined || verifier === undefined) return code.codeChallenge === verifier
  return (
    /^[\w.~-]{43,128}$/.test(verifier) && equalTexts(createHash('sha256').update(verifier, 'ascii').digest('base64url'), code.codeChallenge)
  )
}
