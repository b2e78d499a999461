import type { Label } from '@sallyport/admin-api'
import type { SubaccountSealers } from '@sallyport/core'
import {
  type CompiledQuery,
  type ExpressionBuilder,
  type ExpressionWrapper,
  type Insertable,
  type Kysely,
  type RawBuilder,
  type SqlBool,
  sql,
  type Transaction,
} from 'kysely'
import { rowsPerInsert, rowsPerWalk } from '../limits.ts'
import { changeSubaccount } from './change-subaccount.ts'
import type { DestinationTables } from './entity-migrations.ts'
import type { CreateOutcome, EntityKind, EntityRepository, EntityWrite, FoundEntity, Level, ReplaceOutcome } from './entity-repository.ts'
import { cacheKey, createEntityCache } from './entity-cache.ts'
import { type CloseEntity, contentColumns, type ContentRow, createEntitySeal } from './entity-seal.ts'
import { createSubaccountRevisions } from './subaccount-revisions.ts'

type NewRow = Insertable<DestinationTables['entity']>
type FirstRow = ContentRow & Pick<DestinationTables['entity'], 'subaccount_id' | 'instance_id'>

/**
 * Keeps entities in SQL, in what SQLite and PostgreSQL have in common. The content of an entity is sealed with the key of its subaccount and bound to
 * kind, level and name; clear in the tables are only names, owners, times and labels.
 */
export function createSqlEntityRepository(options: {
  readonly db: Kysely<DestinationTables>
  readonly sealers: SubaccountSealers
}): EntityRepository {
  const { db } = options
  const seal = createEntitySeal(options.sealers)
  const revisions = createSubaccountRevisions(db)
  const cache = createEntityCache()
  const firstQueries: CompiledQuery<FirstRow>[] = []

  const findFirst: EntityRepository['findFirst'] = async (kind, levels, name) => {
    const [level] = levels
    if (level === undefined) return undefined
    // Read first: what is found afterwards is as new as this, or newer.
    const revision = await revisions.read(level.subaccountId)
    const key = revision === undefined ? undefined : cacheKey(kind, levels, name, revision)
    const known = key === undefined ? undefined : cache.get(key)
    if (known !== undefined) {
      // Not longer than the keys themselves are kept: their owner may have taken one back.
      await options.sealers.of(level.subaccountId)
      return known
    }
    const found = await readFirst(kind, levels, name)
    if (found !== undefined && key !== undefined) cache.set(key, found)
    return found
  }

  return {
    find: async (kind, level, name) => (await findFirst(kind, [level], name))?.entity,
    findFirst,

    async index(kind, level) {
      const rows = await db
        .selectFrom('entity')
        .select(['name', 'modified_at_ms', 'shared_with_subscriber', 'labels'])
        .where(of(kind, level))
        .orderBy('name')
        .execute()
      return rows.map((row) => ({
        name: row.name,
        modifiedAtMs: Number(row.modified_at_ms),
        sharedWithSubscriber: row.shared_with_subscriber !== 0,
        labels: JSON.parse(row.labels) as Label[],
      }))
    },

    async read(kind, level, names) {
      if (names.length === 0) return []
      const rows = await db
        .selectFrom('entity')
        .select(contentColumns)
        .where(of(kind, level))
        .where('name', 'in', [...names])
        .execute()
      return Promise.all(rows.map((row) => seal.open(kind, level, row)))
    },

    async create(kind, level, writes, { nowMs, maxPerSubaccount }) {
      if (writes.length === 0) return []
      const close = await seal.closing(level.subaccountId)
      return changeSubaccount(db, level.subaccountId, async (transaction) => {
        // A name is taken whichever zone has it.
        const taken = await namesAmong(transaction, kind, { ...level, sharedOnly: false }, writes)
        const room = maxPerSubaccount - (await countOf(transaction, kind, level.subaccountId))
        const rows: NewRow[] = []
        const outcomes = writes.map((write): CreateOutcome => {
          if (taken.has(write.name)) return 'exists'
          if (rows.length >= room) return 'full'
          taken.add(write.name)
          const key = { kind, subaccount_id: level.subaccountId, instance_id: level.instanceId ?? '', name: write.name }
          rows.push({ ...key, ...sealed(close, kind, level, write), labels: '[]', created_at_ms: nowMs, modified_at_ms: nowMs })
          return 'created'
        })
        for (let from = 0; from < rows.length; from += rowsPerInsert) {
          await transaction
            .insertInto('entity')
            .values(rows.slice(from, from + rowsPerInsert))
            .execute()
        }
        return outcomes
      })
    },

    async replace(kind, level, writes, { nowMs, unchangedSinceMs }) {
      if (writes.length === 0) return []
      const close = await seal.closing(level.subaccountId)
      return changeSubaccount(db, level.subaccountId, async (transaction) => {
        const outcomes: ReplaceOutcome[] = []
        for (const write of writes) {
          const { numUpdatedRows } = await transaction
            .updateTable('entity')
            .set({ ...sealed(close, kind, level, write), modified_at_ms: laterThanBefore(nowMs) })
            .where(of(kind, level))
            .where('name', '=', write.name)
            .$if(unchangedSinceMs !== undefined, (query) => query.where('modified_at_ms', '=', unchangedSinceMs ?? 0))
            .executeTakeFirst()
          outcomes.push(numUpdatedRows === 0n ? 'unknown' : 'replaced')
        }
        return outcomes
      })
    },

    remove(kind, level, names) {
      if (names.length === 0) return Promise.resolve([])
      return changeSubaccount(db, level.subaccountId, async (transaction) => {
        const rows = await transaction
          .deleteFrom('entity')
          .where(of(kind, level))
          .where('name', 'in', [...names])
          .returning('name')
          .execute()
        const removed = new Set(rows.map((row) => row.name))
        return names.filter((name) => removed.delete(name))
      })
    },

    setLabels(kind, level, name, change) {
      return changeSubaccount(db, level.subaccountId, async (transaction) => {
        const row = await transaction
          .selectFrom('entity')
          .select('labels')
          .where(of(kind, level))
          .where('name', '=', name)
          .executeTakeFirst()
        if (row === undefined) return false
        const labels = JSON.stringify(change(JSON.parse(row.labels) as Label[]))
        await transaction.updateTable('entity').set({ labels }).where(of(kind, level)).where('name', '=', name).execute()
        return true
      })
    },

    async *all(kind, unreadable) {
      let after: readonly [string, string, string] = ['', '', '']
      for (;;) {
        const rows = await db
          .selectFrom('entity')
          .select(['subaccount_id', 'instance_id', ...contentColumns])
          .where('kind', '=', kind)
          .where((build) => build(build.refTuple('subaccount_id', 'instance_id', 'name'), '>', build.tuple(...after)))
          .orderBy('subaccount_id')
          .orderBy('instance_id')
          .orderBy('name')
          .limit(rowsPerWalk)
          .execute()
        for (const row of rows) {
          const found = await locate(kind, row).catch((error: unknown) => {
            unreadable(levelOf(row), row.name, error)
          })
          if (found !== undefined) yield found
        }
        const last = rows.at(-1)
        if (last === undefined || rows.length < rowsPerWalk) return
        after = [last.subaccount_id, last.instance_id, last.name]
      }
    },

    async check() {
      await sql`select 1`.execute(db)
    },
  }

  function firstQuery(kind: EntityKind, levels: readonly Level[], name: string): CompiledQuery<FirstRow> {
    const build = (): CompiledQuery<FirstRow> =>
      db
        .selectFrom('entity')
        .select(['subaccount_id', 'instance_id', ...contentColumns])
        .where('name', '=', name)
        .where((where) => where.or(levels.map((level) => of(kind, level)(where))))
        .compile()
    if (levels.some((level) => level.sharedOnly === true)) return build()
    // Putting the statement together takes longer than running it; only its parameters differ.
    const prepared = (firstQueries[levels.length] ??= build())
    return { ...prepared, parameters: [name, ...levels.flatMap((level) => [kind, level.subaccountId, level.instanceId ?? ''])] }
  }

  async function readFirst(kind: EntityKind, levels: readonly Level[], name: string): Promise<FoundEntity | undefined> {
    const { rows } = await db.executeQuery(firstQuery(kind, levels, name))
    for (const level of levels) {
      const row = rows.find(
        (candidate) => candidate.subaccount_id === level.subaccountId && candidate.instance_id === (level.instanceId ?? ''),
      )
      if (row !== undefined) return { level, entity: await seal.open(kind, level, row) }
    }
    return undefined
  }

  function sealed(
    close: CloseEntity,
    kind: EntityKind,
    level: Level,
    write: EntityWrite,
  ): Pick<NewRow, 'properties' | 'hidden' | 'shared_with_subscriber'> {
    return {
      ...close(kind, level, write),
      shared_with_subscriber: write.sharedWithSubscriber || level.sharedOnly === true ? 1 : 0,
    }
  }

  async function locate(
    kind: EntityKind,
    row: Parameters<typeof seal.open>[2] & { subaccount_id: string; instance_id: string },
  ): Promise<FoundEntity> {
    const level = levelOf(row)
    return { level, entity: await seal.open(kind, level, row) }
  }
}

/** The time, but never the one that stands there: it tells versions apart, and two changes may fall into one millisecond, or a clock may be set back. */
function laterThanBefore(nowMs: number): RawBuilder<number> {
  return sql<number>`case when modified_at_ms < ${nowMs} then ${nowMs} else modified_at_ms + 1 end`
}

function levelOf(row: { readonly subaccount_id: string; readonly instance_id: string }): Level {
  return { subaccountId: row.subaccount_id, instanceId: row.instance_id === '' ? null : row.instance_id }
}

function of(
  kind: EntityKind,
  level: Level,
): (build: ExpressionBuilder<DestinationTables, 'entity'>) => ExpressionWrapper<DestinationTables, 'entity', SqlBool> {
  const key = { kind, subaccount_id: level.subaccountId, instance_id: level.instanceId ?? '' }
  return (build) => build.and(level.sharedOnly === true ? { ...key, shared_with_subscriber: 1 } : key)
}

async function namesAmong(
  transaction: Transaction<DestinationTables>,
  kind: EntityKind,
  level: Level,
  writes: readonly EntityWrite[],
): Promise<Set<string>> {
  const names = writes.map((write) => write.name)
  const rows = await transaction.selectFrom('entity').select('name').where(of(kind, level)).where('name', 'in', names).execute()
  return new Set(rows.map((row) => row.name))
}

async function countOf(transaction: Transaction<DestinationTables>, kind: EntityKind, subaccountId: string): Promise<number> {
  const { count } = await transaction
    .selectFrom('entity')
    .select((build) => build.fn.countAll().as('count'))
    .where('kind', '=', kind)
    .where('subaccount_id', '=', subaccountId)
    .executeTakeFirstOrThrow()
  return Number(count)
}
