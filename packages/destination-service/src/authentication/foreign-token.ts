import { type Clock, ConnectivityError } from '@sallyport/core'
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import { foreignTokenToleranceSeconds, maxForeignTokenCharacters, maxKeysTried } from '../limits.ts'
import type { AuthenticationRequest } from './authentication-request.ts'
import { tryParseObject } from './token-answer.ts'
import type { KeySets } from './user-key-sets.ts'

/** Verifies user tokens of issuers that only a destination knows, by `x_user_token.jwks` or `x_user_token.jwks_uri`. */
export interface ForeignTokens {
  /**
   * Returns when the token holds. `configured` is `false` when the destination names no keys: then nothing has been checked.
   *
   * @throws ConnectivityError `TOKEN_INVALID` when the token does not hold, or what getting the keys throws.
   */
  verify(
    token: string,
    request: Pick<AuthenticationRequest, 'configuration' | 'references' | 'level'>,
  ): Promise<{ readonly configured: boolean }>
}

/** Signatures with public keys. Those with shared secrets, and none, are not among them. */
const algorithms: ReadonlyMap<string, string> = new Map([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((name): [string, string] => [name, 'RSA']),
  ...['ES256', 'ES384', 'ES512'].map((name): [string, string] => [name, 'EC']),
  ['EdDSA', 'OKP'],
])

/** Makes the verification; `keySets` finds the keys. */
export function createForeignTokens({ keySets, clock }: { readonly keySets: KeySets; readonly clock: Clock }): ForeignTokens {
  return {
    async verify(token, request) {
      if (!request.configuration['x_user_token.jwks'] && !request.configuration['x_user_token.jwks_uri']) return { configured: false }
      const { algorithm, keyId } = readHeader(token)
      const keys = (await keySets.find(request, (key) => fits(key, algorithm, keyId))).slice(0, maxKeysTried)
      if (keys.length === 0) throw invalid('no key of the key set fits')
      const payload = await firstVerified(token, keys, algorithm)
      if (payload === undefined) throw invalid('signature')
      checkTimes(payload, Math.floor(clock.now() / 1_000))
      return { configured: true }
    },
  }
}

function readHeader(token: string): { readonly algorithm: string; readonly keyId: string | undefined } {
  if (token.length > maxForeignTokenCharacters) throw invalid('too long')
  let header: ReturnType<typeof decodeProtectedHeader>
  try {
    header = decodeProtectedHeader(token)
  } catch {
    throw invalid('malformed')
  }
  const { alg: algorithm, kid: keyId } = header
  if (algorithm === undefined || !algorithms.has(algorithm)) throw invalid('algorithm')
  return { algorithm, keyId: typeof keyId === 'string' ? keyId : undefined }
}

/** RFC 7517 §4: kind, use and algorithm must allow it; ids are compared where both sides have one. */
function fits(key: JWK, algorithm: string, keyId: string | undefined): boolean {
  return (
    key.kty === algorithms.get(algorithm) &&
    (key.use === undefined || key.use === 'sig') &&
    (key.alg === undefined || key.alg === algorithm) &&
    (keyId === undefined || key.kid === undefined || key.kid === keyId)
  )
}

async function firstVerified(token: string, keys: readonly JWK[], algorithm: string): Promise<string | undefined> {
  for (const key of keys) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the next key matters only when this one did not sign
      const { payload } = await compactVerify(token, await importJWK(publicPart(key), algorithm), { algorithms: [algorithm] })
      return new TextDecoder().decode(payload)
    } catch {
      // Another key, or one that cannot be imported for this algorithm: the next one may have signed.
    }
  }
  return undefined
}

function publicPart({ kty, n, e, crv, x, y }: JWK): JWK {
  return Object.fromEntries(Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined)) as JWK
}

function checkTimes(payload: string, nowSeconds: number): void {
  const claims = tryParseObject(payload)
  const [expires, starts] = [claims?.['exp'], claims?.['nbf'] ?? claims?.['iat'] ?? 0]
  if (typeof expires !== 'number' || typeof starts !== 'number') throw invalid('malformed')
  if (nowSeconds >= expires + foreignTokenToleranceSeconds) throw invalid('expired')
  if (nowSeconds < starts - foreignTokenToleranceSeconds) throw invalid('not-yet-valid')
}

function invalid(reason: string): ConnectivityError {
  return new ConnectivityError('TOKEN_INVALID', `The JWT in X-user-token is not valid (${reason})`)
}
