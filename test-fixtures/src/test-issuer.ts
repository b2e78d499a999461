import { createSign, generateKeyPairSync } from 'node:crypto'

/** Signs tokens the way an XSUAA tenant does, with `node:crypto` alone, so that it checks the code that uses a library. */
export interface TestIssuer {
  readonly issuer: string
  /** Public keys as a JSON Web Key Set has them. */
  readonly keys: readonly Readonly<Record<string, unknown>>[]
  /** A compact RS256 token; `claims` are laid over a usable set, `header` over `{ alg, typ, kid }`. */
  sign(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string
  /** As `sign`, for a technical (client credentials) token. */
  technical(claims?: Readonly<Record<string, unknown>>): string
  /** As `sign`, for a user token. */
  user(name: string, claims?: Readonly<Record<string, unknown>>): string
}

export function createTestIssuer(
  options: {
    readonly issuer?: string
    readonly tenant?: string
    readonly clientId?: string
    readonly keyId?: string
    readonly nowMs?: () => number
  } = {},
): TestIssuer {
  const issuer = options.issuer ?? 'https://127.0.0.1:8445/oauth/token'
  const tenant = options.tenant ?? 'demo'
  const client = options.clientId ?? 'sb-connectivity!b1'
  const keyId = options.keyId ?? 'key-1'
  const now = options.nowMs ?? Date.now
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  let serial = 0
  const sign: TestIssuer['sign'] = (claims = {}, header = {}) => {
    const seconds = Math.floor(now() / 1000)
    const payload = {
      iss: issuer,
      zid: tenant,
      iat: seconds,
      exp: seconds + 3600,
      jti: `t${++serial}`,
      ext_attr: { enhancer: 'XSUAA', zdn: tenant, subaccountid: tenant },
      ...claims,
    }
    const input = `${part({ alg: 'RS256', typ: 'JWT', kid: keyId, ...header })}.${part(payload)}`
    return `${input}.${createSign('RSA-SHA256').update(input).sign(privateKey).toString('base64url')}`
  }
  return {
    issuer,
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: keyId, alg: 'RS256', use: 'sig' }],
    sign,
    technical: (claims = {}) =>
      sign({
        sub: client,
        cid: client,
        client_id: client,
        azp: client,
        aud: [client],
        scope: ['uaa.resource'],
        grant_type: 'client_credentials',
        ...claims,
      }),
    user: (name, claims = {}) =>
      sign({
        sub: `id-${name}`,
        user_id: `id-${name}`,
        user_name: name,
        email: name,
        origin: 'sap.default',
        cid: client,
        client_id: client,
        azp: client,
        aud: [client, 'openid'],
        scope: ['openid'],
        grant_type: 'password',
        ...claims,
      }),
  }
}
