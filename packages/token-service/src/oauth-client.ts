/** The grants that the token endpoint knows, by their wire names. */
export const grantTypes = [
  'client_credentials',
  'password',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'refresh_token',
  'authorization_code',
  'user_token',
] as const
/** One of {@link grantTypes}. */
export type GrantType = (typeof grantTypes)[number]

/** An application or a service instance that may ask for tokens. */
export interface OAuthClient {
  readonly id: string
  /** The subaccount that owns the client; requests that name no tenant mean this one. */
  readonly tenantId: string
  readonly xsappname: string
  /** As {@link hashClientSecret} makes them; several while a secret is being exchanged. */
  readonly secretHashes: readonly string[]
  /** TLS client certificates that prove to be this client. */
  readonly certificates: readonly ClientCertificateRule[]
  /** The service instance that the client was made for; becomes `ext_attr.serviceinstanceid`. */
  readonly serviceInstanceId?: string
  readonly grantTypes: readonly GrantType[]
  /** Scopes of technical tokens, complete names. */
  readonly authorities: readonly string[]
  /** Scopes that users may get, besides `openid`. */
  readonly scopes: readonly ScopeRule[]
  /** Patterns with `*` and `**`, see {@link redirectAdmitted}. */
  readonly redirectUris: readonly string[]
  /** Overrides {@link TokenServiceLimits.accessTokenSeconds}. */
  readonly accessTokenSeconds?: number
}

/**
 * How a certificate is recognised. A thumbprint (SHA-256 of the DER form, hexadecimal, colons allowed) names one certificate. Subject and issuer outlive
 * renewals, but count only for certificates that a configured authority has signed; without one they never match.
 */
export type ClientCertificateRule = { readonly thumbprintSha256: string } | { readonly subject: string; readonly issuer: string }

/** One scope of an application and who gets it. `everyone` means every user of the tenant. */
export interface ScopeRule {
  /** Complete name, such as `app!t1.Display`. */
  readonly name: string
  readonly groups: readonly string[] | 'everyone'
}

/** Finds clients and knows which tenants have subscribed to them. */
export interface ClientDirectory {
  findById(id: string): Promise<OAuthClient | undefined>
  /** Whether the client may get tokens of that tenant. Its own tenant is not asked for. */
  isSubscribed(clientId: string, tenantId: string): Promise<boolean>
}
