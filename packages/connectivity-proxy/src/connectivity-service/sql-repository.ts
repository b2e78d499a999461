import type { Insertable, Kysely, Selectable, Transaction } from 'kysely'
import type { ConnectivityRepository, IssuedCertificate } from './repository.ts'
import type { CertificateTable, ConnectivitySchema } from './schema.ts'

/** The repository in SQL tables that {@link connectivityMigrations} has made. The caller owns the database. */
export function createSqlConnectivityRepository(db: Kysely<ConnectivitySchema>): ConnectivityRepository {
  return {
    async authorities() {
      const rows = await db.selectFrom('connectivity_authority').selectAll().orderBy('generation').execute()
      return rows.map((row) => ({
        generation: row.generation,
        certificate: row.certificate,
        sealedKey: row.sealed_key,
        createdAtMs: Number(row.created_at_ms),
      }))
    },
    async addAuthority(authority) {
      const { generation, certificate, sealedKey, createdAtMs } = authority
      const result = await db
        .insertInto('connectivity_authority')
        .values({ generation, certificate, sealed_key: sealedKey, created_at_ms: createdAtMs })
        .onConflict((conflict) => conflict.column('generation').doNothing())
        .executeTakeFirst()
      return Number(result.numInsertedOrUpdatedRows ?? 0) === 1
    },
    addPairingCode: (code, nowMs, maxOpen) =>
      changing(db, code.subaccount, async (transaction) => {
        await transaction.deleteFrom('connectivity_pairing_code').where('expires_at_ms', '<=', nowMs).execute()
        const { open } = await transaction
          .selectFrom('connectivity_pairing_code')
          .select(({ fn }) => fn.countAll<number | string>().as('open'))
          .where('subaccount', '=', code.subaccount)
          .executeTakeFirstOrThrow()
        if (Number(open) >= maxOpen) return false
        await transaction
          .insertInto('connectivity_pairing_code')
          .values({ hash: code.hash, subaccount: code.subaccount, created_by: code.createdBy, expires_at_ms: code.expiresAtMs })
          .execute()
        return true
      }),
    async findPairingCode(hash, nowMs) {
      const row = await db
        .selectFrom('connectivity_pairing_code')
        .selectAll()
        .where('hash', '=', hash)
        .where('expires_at_ms', '>', nowMs)
        .executeTakeFirst()
      return row && { hash, subaccount: row.subaccount, createdBy: row.created_by, expiresAtMs: Number(row.expires_at_ms) }
    },
    redeemPairingCode: (hash, nowMs, certificate) =>
      changing(db, certificate.subaccount, async (transaction) => {
        const used = await transaction
          .deleteFrom('connectivity_pairing_code')
          .where('hash', '=', hash)
          .where('expires_at_ms', '>', nowMs)
          .executeTakeFirst()
        if (Number(used.numDeletedRows) !== 1) return false
        await transaction.insertInto('connectivity_certificate').values(toRow(certificate)).execute()
        return true
      }),
    addRenewedCertificate: (certificate, predecessor) =>
      changing(db, certificate.subaccount, async (transaction) => {
        const standing = await transaction
          .selectFrom('connectivity_certificate')
          .select('fingerprint')
          .where('fingerprint', '=', predecessor)
          .where('revoked_at_ms', 'is', null)
          .executeTakeFirst()
        if (standing === undefined) return false
        await transaction.insertInto('connectivity_certificate').values(toRow(certificate)).execute()
        return true
      }),
    async findCertificate(fingerprint) {
      const row = await db.selectFrom('connectivity_certificate').selectAll().where('fingerprint', '=', fingerprint).executeTakeFirst()
      return row && fromRow(row)
    },
    async findConnector(subaccount, connectorId) {
      const row = await db
        .selectFrom('connectivity_certificate')
        .selectAll()
        .where('subaccount', '=', subaccount)
        .where('connector_id', '=', connectorId)
        .orderBy('issued_at_ms', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && fromRow(row)
    },
    revokeConnector: (subaccount, connectorId, nowMs) =>
      changing(db, subaccount, async (transaction) => {
        const result = await transaction
          .updateTable('connectivity_certificate')
          .set({ revoked_at_ms: nowMs })
          .where('subaccount', '=', subaccount)
          .where('connector_id', '=', connectorId)
          .where('revoked_at_ms', 'is', null)
          .executeTakeFirst()
        return Number(result.numUpdatedRows)
      }),
  }
}

/**
 * Changes of one subaccount go one after the other. Otherwise two could each count one code below the limit, or a revocation would not see the successor that
 * a renewal is just adding.
 */
function changing<T>(
  db: Kysely<ConnectivitySchema>,
  subaccount: string,
  work: (transaction: Transaction<ConnectivitySchema>) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('connectivity_subaccount')
      .values({ subaccount })
      .onConflict((conflict) => conflict.column('subaccount').doUpdateSet({ subaccount }))
      .execute()
    return work(transaction)
  })
}

function toRow(certificate: IssuedCertificate): Insertable<CertificateTable> {
  return {
    fingerprint: certificate.fingerprint,
    subaccount: certificate.subaccount,
    connector_id: certificate.connectorId,
    location_id: certificate.locationId,
    description: certificate.description,
    registered_by: certificate.registeredBy,
    issued_at_ms: certificate.issuedAtMs,
    expires_at_ms: certificate.expiresAtMs,
    revoked_at_ms: certificate.revokedAtMs ?? null,
  }
}

function fromRow(row: Selectable<CertificateTable>): IssuedCertificate {
  return {
    fingerprint: row.fingerprint,
    subaccount: row.subaccount,
    connectorId: row.connector_id,
    locationId: row.location_id,
    description: row.description,
    registeredBy: row.registered_by,
    issuedAtMs: Number(row.issued_at_ms),
    expiresAtMs: Number(row.expires_at_ms),
    revokedAtMs: row.revoked_at_ms === null ? undefined : Number(row.revoked_at_ms),
  }
}
