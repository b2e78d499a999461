/** A person as tokens describe one, whoever has authenticated it. */
export interface TokenUser {
  /** Stable over renames; claim `user_id`. */
  readonly id: string
  /** Claim `user_name`. */
  readonly name: string
  readonly email?: string
  readonly givenName?: string
  readonly familyName?: string
  /** Who has authenticated the user: `sap.default` for our own directory, else the origin of a trusted issuer. */
  readonly origin: string
  readonly groups: readonly string[]
  readonly attributes: Readonly<Record<string, readonly string[]>>
  /** The token of a trusted issuer by which the user came, where tokens of that issuer's users carry it along. */
  readonly corporateToken?: string
}

/** A user of our own directory. Without `passwordHash` nobody logs on as that user; tokens can still be issued in process. */
export interface DirectoryUser extends TokenUser {
  readonly tenantId: string
  readonly passwordHash?: string
}

/** Finds users. Names are compared without regard to case. */
export interface UserDirectory {
  findByName(tenantId: string, name: string): Promise<DirectoryUser | undefined>
  findById(tenantId: string, id: string): Promise<DirectoryUser | undefined>
}

/** What a code or refresh token remembers of its user: directory users are read again, users of other issuers have to be kept. */
export type UserReference = { readonly kind: 'directory'; readonly id: string } | { readonly kind: 'issuer'; readonly user: TokenUser }
