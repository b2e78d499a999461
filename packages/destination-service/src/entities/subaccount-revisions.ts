import type { CompiledQuery, Kysely } from 'kysely'
import { maxRevisionsPerQuery } from '../limits.ts'
import type { DestinationTables } from './entity-migrations.ts'

/** Tells whether anything of a subaccount has changed. */
export interface SubaccountRevisions {
  /**
   * A text that is another one after every change of any entity of the subaccount, whoever has made it; `undefined` before the first one. Read after the call,
   * so that every change that was finished before is seen.
   */
  read(subaccountId: string): Promise<string | undefined>
}

/** Reads revisions; all that are asked for in one turn of the event loop take one query together. */
export function createSubaccountRevisions(db: Kysely<DestinationTables>): SubaccountRevisions {
  let asked = new Map<string, PromiseWithResolvers<string | undefined>>()
  // Putting a statement together takes longer than running it.
  const compiled: CompiledQuery<Row>[] = []

  function query(subaccountIds: readonly string[]): CompiledQuery<Row> {
    const prepared = (compiled[subaccountIds.length] ??= db
      .selectFrom('entity_subaccount')
      .select(['subaccount_id', 'revision'])
      .where('subaccount_id', 'in', [...subaccountIds])
      .compile())
    return { ...prepared, parameters: subaccountIds }
  }

  async function answer(some: readonly (readonly [string, PromiseWithResolvers<string | undefined>])[]): Promise<void> {
    try {
      const { rows } = await db.executeQuery(query(some.map(([subaccountId]) => subaccountId)))
      for (const [subaccountId, waiting] of some) waiting.resolve(rows.find((row) => row.subaccount_id === subaccountId)?.revision)
    } catch (error) {
      for (const [, waiting] of some) waiting.reject(error)
    }
  }

  return {
    read(subaccountId) {
      const known = asked.get(subaccountId)
      if (known !== undefined) return known.promise
      if (asked.size === 0) {
        setImmediate(() => {
          const all = [...asked]
          asked = new Map()
          for (let from = 0; from < all.length; from += maxRevisionsPerQuery) void answer(all.slice(from, from + maxRevisionsPerQuery))
        })
      }
      const waiting = Promise.withResolvers<string | undefined>()
      asked.set(subaccountId, waiting)
      return waiting.promise
    },
  }
}

type Row = Pick<DestinationTables['entity_subaccount'], 'subaccount_id' | 'revision'>
