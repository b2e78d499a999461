import type { DestinationRecord } from '@sallyport/admin-api'
import type { Sealer } from '@sallyport/core'
import {
  type ExpressionBuilder,
  type ExpressionWrapper,
  type Insertable,
  type Kysely,
  type Selectable,
  type SqlBool,
  sql,
  type Transaction,
} from 'kysely'
import type { DestinationTables } from './entity-migrations.ts'
import type {
  CreateOutcome,
  DestinationRepository,
  DestinationWrite,
  Level,
  ReplaceOutcome,
  StoredDestination,
} from './entity-repository.ts'
import { rowsPerInsert } from '../limits.ts'

type Row = Selectable<DestinationTables['destination']>
type NewRow = Insertable<DestinationTables['destination']>

/**
 * Keeps destinations in SQL, in what SQLite and PostgreSQL have in common. All properties of a destination are sealed as one text that is bound to level
 * and name; clear in the tables are only names, owners and times.
 */
export function createSqlDestinationRepository(options: {
  readonly db: Kysely<DestinationTables>
  readonly sealer: Sealer
}): DestinationRepository {
  const { db, sealer } = options

  const stored = (level: Level, row: Omit<Row, 'subaccount_id' | 'instance_id'>): StoredDestination => ({
    properties: JSON.parse(sealer.open(row.properties, sealContext(level, row.name))) as DestinationRecord,
    sharedWithSubscriber: row.shared_with_subscriber !== 0,
    createdAtMs: Number(row.created_at_ms),
    modifiedAtMs: Number(row.modified_at_ms),
  })

  const sealed = (level: Level, write: DestinationWrite): Pick<Row, 'properties' | 'shared_with_subscriber'> => ({
    properties: sealer.seal(JSON.stringify(write.properties), sealContext(level, write.properties.Name)),
    shared_with_subscriber: write.sharedWithSubscriber ? 1 : 0,
  })

  return {
    async find(level, name) {
      const row = await db.selectFrom('destination').select(columns).where(of(level)).where('name', '=', name).executeTakeFirst()
      return row === undefined ? undefined : stored(level, row)
    },

    async index(level) {
      const rows = await db.selectFrom('destination').select(['name', 'modified_at_ms']).where(of(level)).orderBy('name').execute()
      return rows.map((row) => ({ name: row.name, modifiedAtMs: Number(row.modified_at_ms) }))
    },

    async read(level, names) {
      if (names.length === 0) return []
      const rows = await db
        .selectFrom('destination')
        .select(columns)
        .where(of(level))
        .where('name', 'in', [...names])
        .execute()
      return rows.map((row) => stored(level, row))
    },

    create(level, writes, { nowMs, maxPerSubaccount }) {
      if (writes.length === 0) return Promise.resolve([])
      return db.transaction().execute(async (transaction) => {
        await lockSubaccount(transaction, level)
        const names = writes.map((write) => write.properties.Name)
        const taken = new Set(
          (await transaction.selectFrom('destination').select('name').where(of(level)).where('name', 'in', names).execute()).map(
            (row) => row.name,
          ),
        )
        const { count } = await transaction
          .selectFrom('destination')
          .select((build) => build.fn.countAll().as('count'))
          .where('subaccount_id', '=', level.subaccountId)
          .executeTakeFirstOrThrow()
        const room = maxPerSubaccount - Number(count)
        const rows: NewRow[] = []
        const outcomes = writes.map((write): CreateOutcome => {
          const name = write.properties.Name
          if (taken.has(name)) return 'exists'
          if (rows.length >= room) return 'full'
          taken.add(name)
          const key = { subaccount_id: level.subaccountId, instance_id: level.instanceId ?? '', name }
          rows.push({ ...key, ...sealed(level, write), created_at_ms: nowMs, modified_at_ms: nowMs })
          return 'created'
        })
        for (let from = 0; from < rows.length; from += rowsPerInsert) {
          await transaction
            .insertInto('destination')
            .values(rows.slice(from, from + rowsPerInsert))
            .execute()
        }
        return outcomes
      })
    },

    replace(level, writes, { nowMs }) {
      if (writes.length === 0) return Promise.resolve([])
      return db.transaction().execute(async (transaction) => {
        const outcomes: ReplaceOutcome[] = []
        for (const write of writes) {
          const { numUpdatedRows } = await transaction
            .updateTable('destination')
            .set({ ...sealed(level, write), modified_at_ms: nowMs })
            .where(of(level))
            .where('name', '=', write.properties.Name)
            .executeTakeFirst()
          outcomes.push(numUpdatedRows === 0n ? 'unknown' : 'replaced')
        }
        return outcomes
      })
    },

    async remove(level, names) {
      if (names.length === 0) return []
      const rows = await db
        .deleteFrom('destination')
        .where(of(level))
        .where('name', 'in', [...names])
        .returning('name')
        .execute()
      const removed = new Set(rows.map((row) => row.name))
      return names.filter((name) => removed.delete(name))
    },

    async check() {
      await sql`select 1`.execute(db)
    },
  }
}

const columns = ['name', 'properties', 'shared_with_subscriber', 'created_at_ms', 'modified_at_ms'] as const

function of(
  level: Level,
): (build: ExpressionBuilder<DestinationTables, 'destination'>) => ExpressionWrapper<DestinationTables, 'destination', SqlBool> {
  return (build) => build.and({ subaccount_id: level.subaccountId, instance_id: level.instanceId ?? '' })
}

/** Writers of one subaccount go one after the other; otherwise two of them could each count one below the limit. */
async function lockSubaccount(transaction: Transaction<DestinationTables>, level: Level): Promise<void> {
  await transaction
    .insertInto('destination_subaccount')
    .values({ subaccount_id: level.subaccountId })
    .onConflict((conflict) => conflict.column('subaccount_id').doUpdateSet({ subaccount_id: level.subaccountId }))
    .execute()
}

function sealContext(level: Level, name: string): string {
  return JSON.stringify(['destination', level.subaccountId, level.instanceId, name])
}
