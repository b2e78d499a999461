import type { Sealer, StoredTable } from '@sallyport/core'
import type { Kysely } from 'kysely'
import type { DestinationTables } from '../entities/entity-migrations.ts'

/** A certificate with its private key, PEM. */
export interface AuthorityKey {
  readonly certificate: string
  readonly privateKey: string
}

/** Two authorities: the root, which is trusted, certifies the one that issues. */
export interface AuthorityKeys {
  readonly root: AuthorityKey
  readonly issuing: AuthorityKey
}

/** One of the authorities that a landscape has had; the last one issues. */
export interface AuthorityGeneration {
  /** 1 for the first. */
  readonly generation: number
  readonly keys: AuthorityKeys
}

/** Keeps the authorities of landscapes. Generations are never changed, so that what has been read may be remembered. */
export interface AuthorityRepository {
  latest(landscape: string): Promise<AuthorityGeneration | undefined>
  /** Adds one unless somebody has been faster. Returns the latest there is then. */
  add(landscape: string, candidate: AuthorityGeneration, options: { readonly nowMs: number }): Promise<AuthorityGeneration>
}

/** Keeps authorities in SQL, sealed with the master key: they belong to no subaccount. */
export function createSqlAuthorityRepository({
  db,
  master,
}: {
  readonly db: Kysely<DestinationTables>
  readonly master: Sealer
}): AuthorityRepository {
  const repository: AuthorityRepository = {
    async latest(landscape) {
      const row = await db
        .selectFrom('certificate_authority')
        .select(['generation', 'keys'])
        .where('landscape', '=', landscape)
        .orderBy('generation', 'desc')
        .limit(1)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const keys = JSON.parse(master.open(row.keys, sealContext(landscape, row.generation))) as AuthorityKeys
      return { generation: row.generation, keys }
    },
    async add(landscape, { generation, keys }, { nowMs }) {
      await db
        .insertInto('certificate_authority')
        .values({
          landscape,
          generation,
          keys: master.seal(JSON.stringify(keys), sealContext(landscape, generation)),
          created_at_ms: nowMs,
        })
        .onConflict((conflict) => conflict.columns(['landscape', 'generation']).doNothing())
        .execute()
      const latest = await repository.latest(landscape)
      if (latest === undefined) throw new Error('an authority that has been added is not there')
      return latest
    },
  }
  return repository
}

function sealContext(landscape: string, generation: number): string {
  return JSON.stringify(['certificate-authority', landscape, generation])
}

/** The table, for jobs over whole databases. */
export const authorityTable: StoredTable = {
  name: 'certificate_authority',
  key: ['landscape', 'generation'],
  sealed: [{ column: 'keys', context: (row) => sealContext(String(row['landscape']), Number(row['generation'])) }],
}
