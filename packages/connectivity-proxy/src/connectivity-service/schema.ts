/** Tables of the connectivity service. Booleans and times are integers, so that the same statements run on SQLite and PostgreSQL. */
export interface ConnectivitySchema {
  connectivity_authority: AuthorityTable
  connectivity_pairing_code: PairingCodeTable
  connectivity_certificate: CertificateTable
}

export interface AuthorityTable {
  generation: number
  certificate: string
  sealed_key: string
  created_at_ms: number
}

export interface PairingCodeTable {
  hash: string
  subaccount: string
  created_by: string
  expires_at_ms: number
}

export interface CertificateTable {
  fingerprint: string
  subaccount: string
  connector_id: string
  location_id: string
  description: string
  registered_by: string
  issued_at_ms: number
  expires_at_ms: number
  revoked_at_ms: number | null
}
