import { createSecret, type Sealer } from '@sallyport/core'
import type { Kysely } from 'kysely'
import type { SigningKeyStore } from './signing-key-store.ts'
import { storing } from './store-errors.ts'
import { signingKeyContext, type TokenServiceTables } from './tables.ts'

/** Keeps signing keys in the database, private keys sealed and bound to their row. */
export function createSqlSigningKeyStore({
  db,
  sealer,
}: {
  readonly db: Kysely<TokenServiceTables>
  readonly sealer: Sealer
}): SigningKeyStore {
  return {
    list: () =>
      storing('reading signing keys', async () => {
        const rows = await db.selectFrom('token_signing_key').selectAll().execute()
        return rows.map((row) => ({
          keyId: row.key_id,
          privateKey: createSecret(sealer.open(row.private_key, signingKeyContext(row.key_id))),
          publicKey: row.public_key,
          signsFromMs: Number(row.signs_from_ms),
        }))
      }),
    add: (key, { onlyFirst }) =>
      storing('keeping a signing key', async () => {
        const sealed = sealer.seal(key.privateKey.reveal(), signingKeyContext(key.keyId))
        await db.transaction().execute(async (transaction) => {
          // Whoever comes second waits here, and sees afterwards what the first has added.
          await transaction
            .insertInto('token_lock')
            .values({ name: 'signing keys' })
            .onConflict((conflict) => conflict.column('name').doUpdateSet({ name: 'signing keys' }))
            .execute()
          if (onlyFirst && (await transaction.selectFrom('token_signing_key').select('key_id').limit(1).executeTakeFirst()) !== undefined)
            return
          await transaction
            .insertInto('token_signing_key')
            .values({ key_id: key.keyId, private_key: sealed, public_key: key.publicKey, signs_from_ms: key.signsFromMs })
            .execute()
        })
      }),
    remove: (keyId) =>
      storing('removing a signing key', async () => {
        await db.deleteFrom('token_signing_key').where('key_id', '=', keyId).execute()
      }),
  }
}
