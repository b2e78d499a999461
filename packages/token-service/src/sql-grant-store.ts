import { createHash } from 'node:crypto'
import type { Clock, Sealer } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { type Grant, type GrantBounds, type GrantOf, grantOwner, type GrantStore } from './grant-store.ts'
import { grantSweepInterval } from './limits.ts'
import { storing } from './store-errors.ts'
import { grantContext, type TokenServiceTables } from './tables.ts'

/** Keeps codes, refresh tokens and sessions in the database, by hash. What they remember of their users is sealed and bound to its row. */
export function createSqlGrantStore(deps: {
  readonly db: Kysely<TokenServiceTables>
  readonly sealer: Sealer
  readonly clock: Clock
  readonly bounds: GrantBounds
}): GrantStore {
  const { db, sealer, clock, bounds } = deps
  let additions = 0

  async function sweep(): Promise<void> {
    await db.deleteFrom('token_grant').where('expires_at_ms', '<=', clock.now()).execute()
    const newestTooMany = await db
      .selectFrom('token_grant')
      .select('created_at_ms')
      .orderBy('created_at_ms', 'desc')
      .limit(1)
      .offset(bounds.maxGrants)
      .executeTakeFirst()
    if (newestTooMany !== undefined)
      await db.deleteFrom('token_grant').where('created_at_ms', '<=', Number(newestTooMany.created_at_ms)).execute()
  }

  return {
    add: (hash, grant) =>
      storing('keeping a grant', async () => {
        const owner = createHash('sha256').update(grantOwner(grant)).digest('base64url')
        await db.transaction().execute(async (transaction) => {
          await transaction
            .insertInto('token_grant')
            .values({
              hash,
              kind: grant.kind,
              owner,
              sealed_grant: sealer.seal(JSON.stringify(grant), grantContext(hash)),
              created_at_ms: grant.createdAtMs,
              expires_at_ms: grant.expiresAtMs,
              redeemed_with: null,
            })
            .execute()
          // The one just added may be as old as others of the same millisecond, so it is kept by name.
          await transaction
            .deleteFrom('token_grant')
            .where('hash', '!=', hash)
            .where('hash', 'in', (select) =>
              select
                .selectFrom('token_grant')
                .select('hash')
                .where('owner', '=', owner)
                .where('hash', '!=', hash)
                .orderBy('created_at_ms', 'desc')
                .orderBy('hash')
                .limit(sweepBatch)
                .offset(bounds.maxGrantsPerUserAndClient - 1),
            )
            .execute()
        })
        if (++additions % grantSweepInterval === 0) await sweep()
      }),
    find: <Kind extends Grant['kind']>(kind: Kind, hash: string) =>
      storing('reading a grant', async () => {
        const row = await db
          .selectFrom('token_grant')
          .select('sealed_grant')
          .where('hash', '=', hash)
          .where('kind', '=', kind)
          .where('expires_at_ms', '>', clock.now())
          .executeTakeFirst()
        return row === undefined ? undefined : (JSON.parse(sealer.open(row.sealed_grant, grantContext(hash))) as GrantOf<Kind>)
      }),
    remove: (kind, hash) =>
      storing('removing a grant', async () => {
        await db.deleteFrom('token_grant').where('hash', '=', hash).where('kind', '=', kind).execute()
      }),
    redeemCode: (hash, refreshHash) =>
      storing('redeeming a code', async () => {
        const living = db
          .updateTable('token_grant')
          .set({ redeemed_with: refreshHash })
          .where('hash', '=', hash)
          .where('kind', '=', 'code')
          .where('expires_at_ms', '>', clock.now())
        const { numUpdatedRows } = await living.where('redeemed_with', 'is', null).executeTakeFirstOrThrow()
        if (numUpdatedRows > 0n) return { kind: 'redeemed' }
        const row = await db
          .selectFrom('token_grant')
          .select('redeemed_with')
          .where('hash', '=', hash)
          .where('kind', '=', 'code')
          .where('expires_at_ms', '>', clock.now())
          .executeTakeFirst()
        return row?.redeemed_with == null ? { kind: 'unknown' } : { kind: 'used', refreshHash: row.redeemed_with }
      }),
  }
}

/** SQLite wants a limit beside an offset; what is left over goes with the next addition. */
const sweepBatch = 1_000
