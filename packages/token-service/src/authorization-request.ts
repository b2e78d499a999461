import { maxStateLength } from './limits.ts'
import type { ClientDirectory, OAuthClient } from './oauth-client.ts'
import { parseRedirect, redirectAdmitted } from './redirect-pattern.ts'
import { requestedScopes, type RequestParameters } from './request-parameters.ts'
import { refusal, toErrorAnswer } from './token-errors.ts'

/** A log-on request whose client and target are known to belong together. */
export interface AuthorizationRequest {
  readonly client: OAuthClient
  /** As the client wrote it; the exchange has to repeat it. */
  readonly redirectUri: string
  readonly state: string | undefined
  /** Whether it may go on, or what the application is told in the redirect. */
  readonly outcome: AuthorizationWish | { readonly kind: 'refused'; readonly error: string; readonly description: string }
}

/** What the application wants to get with the code. */
export interface AuthorizationWish {
  readonly kind: 'proceed'
  readonly scopes: readonly string[] | undefined
  readonly codeChallenge: string | undefined
  readonly nonce: string | undefined
}

/**
 * Reads the parameters of `/oauth/authorize`.
 *
 * Client and target come first: until both fit, nothing is ever sent to the target, so their faults are thrown. All later ones are told to the application.
 *
 * @throws ConnectivityError, see {@link refusal}: 400 `invalid_request` or `unauthorized_client`.
 */
export async function readAuthorizationRequest(parameters: RequestParameters, clients: ClientDirectory): Promise<AuthorizationRequest> {
  const client = await clients.findById(parameters.get('client_id') ?? '')
  if (client === undefined) throw refusal(400, 'unauthorized_client', 'The application that sent you here is not known')
  const redirectUri = parameters.get('redirect_uri') ?? ''
  if (!redirectAdmitted(redirectUri, client.redirectUris)) {
    throw refusal(400, 'invalid_request', 'The application is not registered for the address that it wants you to be sent back to')
  }
  const state = parameters.get('state')
  if (state !== undefined && state.length > maxStateLength) throw refusal(400, 'invalid_request', 'The parameter state is too long')
  return { client, redirectUri, state, outcome: outcomeOf(parameters, client) }
}

function outcomeOf(parameters: RequestParameters, client: OAuthClient): AuthorizationRequest['outcome'] {
  const refused = (error: string, description: string): AuthorizationRequest['outcome'] => ({ kind: 'refused', error, description })
  if (!client.grantTypes.includes('authorization_code')) return refused('unauthorized_client', 'The client may not use this grant')
  if (parameters.get('response_type') !== 'code') return refused('unsupported_response_type', 'response_type is not code')
  const codeChallenge = parameters.get('code_challenge')
  const method = parameters.get('code_challenge_method')
  if ((codeChallenge !== undefined || method !== undefined) && method !== 'S256') {
    return refused('invalid_request', 'code_challenge_method is not S256')
  }
  if (method !== undefined && !/^[\w-]{43}$/.test(codeChallenge ?? ''))
    return refused('invalid_request', 'code_challenge is not a SHA-256 in Base64url')
  try {
    return { kind: 'proceed', scopes: requestedScopes(parameters), codeChallenge, nonce: parameters.get('nonce') }
  } catch (error) {
    const { error: name, description } = toErrorAnswer(error)
    return refused(name, description)
  }
}

/** The target with the answer appended; whatever query it has stays. */
export function redirectBack(request: AuthorizationRequest, answer: Readonly<Record<string, string>>): string {
  const url = parseRedirect(request.redirectUri)
  if (url === undefined) throw refusal(400, 'invalid_request', 'The redirect target cannot be read')
  const query = Object.entries({ ...answer, ...(request.state === undefined ? {} : { state: request.state }) })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  return `${url.href}${url.search === '' ? (url.href.endsWith('?') ? '' : '?') : '&'}${query}`
}
