import { sql } from 'kysely'
import type { Migrations } from '@sallyport/store'

export interface LedgerSchema {
  readonly account: { readonly id: string; readonly balance: number }
  readonly line: { readonly round: number; readonly side: string }
}

/** Steps that are themselves worth killing: half of them would leave an account without its counterpart. */
export const ledgerMigrations: Migrations = {
  '0001-tables': {
    async up(db) {
      await db.schema.createTable('account').addColumn('id', 'text').addColumn('balance', 'integer').execute()
      await db.schema.createTable('line').addColumn('round', 'integer').addColumn('side', 'text').execute()
    },
  },
  '0002-accounts': {
    async up(db) {
      await sql`insert into account values ('from', 0)`.execute(db)
      await sql`insert into account values ('to', 0)`.execute(db)
    },
  },
}
