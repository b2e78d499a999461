/** The authority that signs connectors. `generation` counts from 1; the newest one signs, all that are valid are trusted. */
export interface StoredAuthority {
  readonly generation: number
  /** PEM */
  readonly certificate: string
  /** PKCS#8 PEM, sealed with the context `connectivity-authority/<generation>`. */
  readonly sealedKey: string
  readonly createdAtMs: number
}

/** A promise to one connector of a subaccount. The code itself is known to nobody but who asked for it. */
interface StoredPairingCode {
  /** SHA-256, hexadecimal. */
  readonly hash: string
  readonly subaccount: string
  /** Who asked for it; becomes the user who registered the connector. */
  readonly createdBy: string
  readonly expiresAtMs: number
}

/** A certificate that lets one connector of one subaccount open tunnels. */
export interface IssuedCertificate {
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string
  readonly subaccount: string
  readonly connectorId: string
  readonly locationId: string
  readonly description: string
  readonly registeredBy: string
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly revokedAtMs: number | undefined
}

/** What the connectivity service keeps. One suite holds every implementation to the same behaviour. */
export interface ConnectivityRepository {
  /** Oldest first. */
  authorities(): Promise<readonly StoredAuthority[]>
  /** `false`: there is one of that generation already, another process was faster. */
  addAuthority(authority: StoredAuthority): Promise<boolean>
  /** Forgets codes that have expired at `nowMs`, then adds. `false`: the subaccount has `maxOpen` unused ones. */
  addPairingCode(code: StoredPairingCode, nowMs: number, maxOpen: number): Promise<boolean>
  /** A code that has not expired at `nowMs`. */
  findPairingCode(hash: string, nowMs: number): Promise<StoredPairingCode | undefined>
  /** Uses the code up and keeps the certificate, both or neither. `false`: the code has just been used or has expired. */
  redeemPairingCode(hash: string, nowMs: number, certificate: IssuedCertificate): Promise<boolean>
  /** Keeps the successor of a certificate. `false`: the certificate itself has been revoked meanwhile, and nothing is kept. */
  addRenewedCertificate(certificate: IssuedCertificate, predecessor: string): Promise<boolean>
  /** The certificate of a connector that was issued last. */
  findConnector(subaccount: string, connectorId: string): Promise<IssuedCertificate | undefined>
  findCertificate(fingerprint: string): Promise<IssuedCertificate | undefined>
  /** Revokes every certificate of a connector; returns how many were not revoked before. */
  revokeConnector(subaccount: string, connectorId: string, nowMs: number): Promise<number>
}
