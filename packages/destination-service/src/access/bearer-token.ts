import type { TokenClaims, TokenVerifier } from '@sallyport/token-verifier'
import type { Answer } from '../http/answer.ts'
import { refused } from './admission.ts'

/** The encoded JWT of an Authorization header. */
export function bearerTokenOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  const token = authorization.slice(7).trimStart()
  return token === '' || /\s/.test(token) ? undefined : token
}

/** The claims of a token that is valid, or the refusal. */
export async function verifyBearer(
  token: string,
  verifier: TokenVerifier,
): Promise<{ readonly claims: TokenClaims } | { readonly answer: Answer }> {
  const remembered = verifier.peek(token)
  if (remembered !== undefined) return remembered
  const verdict = await verifier.verify(token)
  if (verdict.valid) return verdict.token
  if (verdict.reason === 'malformed') return refused(401, 'Unable to parse the JWT in Authorization Header.')
  if (verdict.reason === 'unavailable') return refused(503, 'The token cannot be verified at the moment')
  return refused(401, verdict.reason === 'expired' ? 'The token has expired' : 'The token is not valid')
}
