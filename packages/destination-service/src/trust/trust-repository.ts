import { randomBytes } from 'node:crypto'
import type { StoredTable, SubaccountSealers } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { changeSubaccount } from '../entities/change-subaccount.ts'
import type { DestinationTables } from '../entities/entity-migrations.ts'

/** Which of the two key pairs of a subaccount: the active one signs, the passive one waits to be known by everybody. */
export type TrustRole = 'active' | 'passive'

/** A key pair of a subaccount. */
export interface TrustKeyPair {
  /** PEM, signed by its own key. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly privateKey: string
}

/** Both key pairs of a subaccount; a passive one is there only beside an active one. */
export interface TrustKeyPairs {
  readonly active: TrustKeyPair
  readonly passive?: TrustKeyPair
}

/** Keeps the key pairs of subaccounts. Each call is one transaction, and changes of one subaccount come one after the other. */
export interface TrustRepository {
  find(subaccountId: string): Promise<TrustKeyPairs | undefined>
  /** Takes the place of the one that had the role. `false`, without any change, for a passive one where there is no active one. */
  put(subaccountId: string, role: TrustRole, pair: TrustKeyPair, options: { readonly nowMs: number }): Promise<boolean>
  /** Whether there was a passive one. */
  removePassive(subaccountId: string): Promise<boolean>
  /** The two change roles. `undefined`, without any change, when there is no passive one. */
  rotate(subaccountId: string): Promise<TrustKeyPairs | undefined>
}

/** Keeps key pairs in SQL, sealed. What is sealed is bound to subaccount and key, not to the role, so that rotation touches no key. */
export function createSqlTrustRepository({
  db,
  sealers,
}: {
  readonly db: Kysely<DestinationTables>
  readonly sealers: SubaccountSealers
}): TrustRepository {
  async function open(subaccountId: string, rows: readonly TrustRow[]): Promise<TrustKeyPairs | undefined> {
    const sealer = await sealers.of(subaccountId, ...rows.map((row) => row.key_pair))
    const of = (role: TrustRole): TrustKeyPair | undefined => {
      const row = rows.find((candidate) => candidate.role === role)
      return row === undefined ? undefined : (JSON.parse(sealer.open(row.key_pair, sealContext(subaccountId, row.key_id))) as TrustKeyPair)
    }
    const [active, passive] = [of('active'), of('passive')]
    return active === undefined ? undefined : { active, ...(passive === undefined ? {} : { passive }) }
  }

  return {
    find: async (subaccountId) => open(subaccountId, await rowsOf(db, subaccountId)),
    async put(subaccountId, role, pair, { nowMs }) {
      const sealer = await sealers.of(subaccountId)
      const keyId = randomBytes(12).toString('base64url')
      const values = { key_id: keyId, key_pair: sealer.seal(JSON.stringify(pair), sealContext(subaccountId, keyId)), created_at_ms: nowMs }
      return changeSubaccount(db, subaccountId, async (transaction) => {
        if (role === 'passive' && (await rowsOf(transaction, subaccountId)).length === 0) return false
        await transaction
          .insertInto('trust_key_pair')
          .values({ subaccount_id: subaccountId, role, ...values })
          .onConflict((conflict) => conflict.columns(['subaccount_id', 'role']).doUpdateSet(values))
          .execute()
        return true
      })
    },
    removePassive: (subaccountId) =>
      changeSubaccount(db, subaccountId, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('trust_key_pair')
          .where('subaccount_id', '=', subaccountId)
          .where('role', '=', 'passive')
          .executeTakeFirst()
        return numDeletedRows > 0n
      }),
    async rotate(subaccountId) {
      const swapped = await changeSubaccount(db, subaccountId, async (transaction) => {
        const rows = await rowsOf(transaction, subaccountId)
        if (!rows.some(({ role }) => role === 'passive')) return undefined
        await transaction.deleteFrom('trust_key_pair').where('subaccount_id', '=', subaccountId).execute()
        const changed = rows.map((row) => ({ ...row, role: row.role === 'active' ? 'passive' : 'active' }))
        await transaction.insertInto('trust_key_pair').values(changed).execute()
        return changed
      })
      return swapped === undefined ? undefined : open(subaccountId, swapped)
    },
  }
}

interface TrustRow {
  readonly subaccount_id: string
  readonly role: string
  readonly key_id: string
  readonly key_pair: string
  readonly created_at_ms: number
}

async function rowsOf(db: Kysely<DestinationTables>, subaccountId: string): Promise<readonly TrustRow[]> {
  const rows = await db.selectFrom('trust_key_pair').selectAll().where('subaccount_id', '=', subaccountId).execute()
  return rows.map((row) => ({ ...row, created_at_ms: Number(row.created_at_ms) }))
}

function sealContext(subaccountId: string, keyId: string): string {
  return JSON.stringify(['trust', subaccountId, keyId])
}

/** The table, for jobs over whole databases. */
export const trustTable: StoredTable = {
  name: 'trust_key_pair',
  key: ['subaccount_id', 'role'],
  sealed: [
    {
      column: 'key_pair',
      subaccount: (row) => String(row['subaccount_id']),
      context: (row) => sealContext(String(row['subaccount_id']), String(row['key_id'])),
    },
  ],
}
