import { maxParameterNameLength, maxParameters, maxParameterValueLength, maxScopeLength, maxScopes } from './limits.ts'
import { refusal } from './token-errors.ts'

/** Parameters of a request, from query and body together. Empty ones count as missing. */
export type RequestParameters = ReadonlyMap<string, string>

/** Everything that any endpoint reads. Whatever else clients send is ignored, repeated or not. */
const knownParameters: ReadonlySet<string> = new Set([
  'app_tid',
  'assertion',
  'authorities',
  'client_id',
  'client_secret',
  'code',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'form_token',
  'grant_type',
  'nonce',
  'password',
  'redirect',
  'redirect_uri',
  'refresh_token',
  'response_type',
  'scope',
  'state',
  'username',
  'zid',
])

/**
 * Reads form-encoded texts: the query and the body, which clients use without distinction.
 *
 * A known parameter that comes twice with different values is refused, wherever the two stand: two programs on the way might each believe another one. Encoding
 * errors are refused instead of repaired.
 *
 * @throws ConnectivityError, see {@link refusal}: `invalid_request`.
 */
export function parseParameters(...texts: readonly string[]): RequestParameters {
  const parameters = new Map<string, string>()
  let count = 0
  for (const text of texts) {
    for (let start = 0; start < text.length;) {
      const next = text.indexOf('&', start)
      const end = next === -1 ? text.length : next
      const pair = text.slice(start, end)
      start = end + 1
      if (pair === '') continue
      if (++count > maxParameters) throw refusal(400, 'invalid_request', `more than ${maxParameters} parameters`)
      const equals = pair.indexOf('=')
      const name = decodePart(equals === -1 ? pair : pair.slice(0, equals))
      const value = equals === -1 ? '' : decodePart(pair.slice(equals + 1))
      if (name.length > maxParameterNameLength) throw refusal(400, 'invalid_request', 'a parameter name is too long')
      if (value.length > maxParameterValueLength) throw refusal(400, 'invalid_request', 'a parameter value is too long')
      if (value === '' || !knownParameters.has(name)) continue
      const earlier = parameters.get(name)
      if (earlier !== undefined && earlier !== value) throw refusal(400, 'invalid_request', 'a parameter comes twice with different values')
      parameters.set(name, value)
    }
  }
  return parameters
}

/** The value of a parameter that the request cannot do without. */
export function requiredParameter(parameters: RequestParameters, name: string): string {
  const value = parameters.get(name)
  if (value === undefined) throw refusal(400, 'invalid_request', `the parameter ${name} is missing`)
  return value
}

/** The scopes that a request asks for, without repetition; `undefined` when it leaves the choice to us. */
export function requestedScopes(parameters: RequestParameters): readonly string[] | undefined {
  const text = parameters.get('scope')
  if (text === undefined) return undefined
  const scopes = [...new Set(text.split(' ').filter((scope) => scope !== ''))]
  if (scopes.length > maxScopes || scopes.some((scope) => scope.length > maxScopeLength)) {
    throw refusal(400, 'invalid_scope', `at most ${maxScopes} scopes of ${maxScopeLength} characters can be asked for`)
  }
  return scopes.length === 0 ? undefined : scopes
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '))
  } catch {
    // The text may hold a secret, so neither it nor the cause is kept.
    throw refusal(400, 'invalid_request', 'a parameter is not percent-encoded UTF-8')
  }
}
