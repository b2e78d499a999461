import { randomBytes } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import type { DestinationTables } from './entity-migrations.ts'

/**
 * Changes something of a subaccount in one transaction, and gives it another revision. Writers of one subaccount go one after the other; otherwise two of
 * them could each count one below a limit, or wait for each other's rows.
 */
export function changeSubaccount<T>(
  db: Kysely<DestinationTables>,
  subaccountId: string,
  work: (transaction: Transaction<DestinationTables>) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (transaction) => {
    const revision = randomBytes(12).toString('base64url')
    await transaction
      .insertInto('entity_subaccount')
      .values({ subaccount_id: subaccountId, revision })
      .onConflict((conflict) => conflict.column('subaccount_id').doUpdateSet({ revision }))
      .execute()
    return work(transaction)
  })
}
