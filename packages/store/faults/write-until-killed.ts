import { writeSync } from 'node:fs'
import { migrate, openDatabase } from '@sallyport/store'
import { type LedgerSchema, ledgerMigrations } from './ledger.ts'

/**
 * A process that writes until somebody kills it. Every round moves 1 from one account to the other and enters two lines, in one transaction, and says the
 * number of the round when the commit has been acknowledged.
 */
const [file = '', firstRound = '0'] = process.argv.slice(2)
const db = openDatabase<LedgerSchema>(file)
await migrate(db, ledgerMigrations)
for (let round = Number(firstRound); ; round += 1) {
  await db.transaction().execute(async (transaction) => {
    await transaction
      .updateTable('account')
      .set((ref) => ({ balance: ref('balance', '-', 1) }))
      .where('id', '=', 'from')
      .execute()
    await transaction.insertInto('line').values({ round, side: 'from' }).execute()
    await transaction
      .updateTable('account')
      .set((ref) => ({ balance: ref('balance', '+', 1) }))
      .where('id', '=', 'to')
      .execute()
    await transaction.insertInto('line').values({ round, side: 'to' }).execute()
  })
  writeSync(1, `${round}\n`)
}
