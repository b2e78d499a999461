import type { ColumnType } from 'kysely'

/** 64-bit milliseconds; some drivers hand them out as texts. */
type Milliseconds = ColumnType<number | string, number, number>

/** Tables of the connectivity service. The same statements run on SQLite and PostgreSQL. */
export interface ConnectivitySchema {
  connectivity_authority: AuthorityTable
  connectivity_pairing_code: PairingCodeTable
  connectivity_certificate: CertificateTable
  connectivity_subaccount: SubaccountTable
}

/** Authorities that sign connectors, one row for each generation. */
interface AuthorityTable {
  generation: number
  certificate: string
  sealed_key: string
  created_at_ms: Milliseconds
}

/** Codes that have not been used; a used one is deleted. */
interface PairingCodeTable {
  hash: string
  subaccount: string
  created_by: string
  expires_at_ms: Milliseconds
}

/** One row per subaccount that ever paired: what those lock who change what others count on. */
interface SubaccountTable {
  subaccount: string
}

/** Every certificate that was issued to a connector. */
export interface CertificateTable {
  fingerprint: string
  subaccount: string
  connector_id: string
  location_id: string
  description: string
  registered_by: string
  issued_at_ms: Milliseconds
  expires_at_ms: Milliseconds
  revoked_at_ms: ColumnType<number | string | null, number | null, number | null>
}
