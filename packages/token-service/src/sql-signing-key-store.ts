import { createSecret, type Sealer } from '@sallyport/core'
import type { Kysely } from 'kysely'
import type { SigningKeyStore } from './signing-key-store.ts'
import { storing } from './store-errors.ts'
import type { TokenServiceTables } from './tables.ts'

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
          privateKey: createSecret(sealer.open(row.private_key, sealContext(row.key_id))),
          publicKey: row.public_key,
          signsFromMs: Number(row.signs_from_ms),
        }))
      }),
    add: (key, { onlyFirst }) =>
      storing('keeping a signing key', async () => {
        const sealed = sealer.seal(key.privateKey.reveal(), sealContext(key.keyId))
        // One statement, so that nobody else adds a key between the look and the insertion.
        await db
          .insertInto('token_signing_key')
          .columns(['key_id', 'private_key', 'public_key', 'signs_from_ms'])
          .expression(() => {
            const row = db.selectNoFrom((build) => [
              build.cast<string>(build.val(key.keyId), 'text').as('key_id'),
              build.cast<string>(build.val(sealed), 'text').as('private_key'),
              build.cast<string>(build.val(key.publicKey), 'text').as('public_key'),
              build.cast<number>(build.val(key.signsFromMs), 'bigint').as('signs_from_ms'),
            ])
            const anyKey = db.selectFrom('token_signing_key').select('key_id')
            return onlyFirst ? row.where((build) => build.not(build.exists(anyKey))) : row
          })
          .execute()
      }),
    remove: (keyId) =>
      storing('removing a signing key', async () => {
        await db.deleteFrom('token_signing_key').where('key_id', '=', keyId).execute()
      }),
  }
}

function sealContext(keyId: string): string {
  return `token_signing_key/${keyId}/private_key`
}
