import { randomBytes } from 'node:crypto'
import type { Sealer, StoredTable, SubaccountSealers } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { maxKeptDataKeys, sealKeyBytes } from './limits.ts'
import type { Migrations } from './migrate.ts'
import { createSealKey, openText, parseSealedText, type SealKey, sealText } from './sealed-text.ts'

/** Keys of subaccounts, sealed with the master key. The newest generation seals. */
interface DataKeySchema {
  readonly sealing_data_key: {
    readonly subaccount_id: string
    readonly generation: number
    readonly wrapped_key: string
  }
}

/** Steps for the table of data keys, for `migrate` with `{ part: dataKeyPart }`; in every database with values that are sealed per subaccount. */
export const dataKeyMigrations: Migrations = {
  '0001-data-keys': {
    async up(db) {
      await db.schema
        .createTable('sealing_data_key')
        .addColumn('subaccount_id', 'text', (column) => column.notNull())
        .addColumn('generation', 'integer', (column) => column.notNull())
        .addColumn('wrapped_key', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('sealing_data_key_key', ['subaccount_id', 'generation'])
        .execute()
    },
  },
}
export const dataKeyPart = 'data-keys'

const wrapContext = (subaccountId: string, generation: number): string => JSON.stringify(['data key', subaccountId, generation])

/** The table for jobs over whole databases. */
export const dataKeyTables: readonly StoredTable[] = [
  {
    name: 'sealing_data_key',
    key: ['subaccount_id', 'generation'],
    sealed: [{ column: 'wrapped_key', context: (row) => wrapContext(String(row['subaccount_id']), Number(row['generation'])) }],
  },
]

/** As repositories use them, and what a change of keys needs beside. */
export interface DataKeys extends SubaccountSealers {
  /** Whether a text is sealed with the newest key of the subaccount. */
  isCurrent(subaccountId: string, sealed: string): Promise<boolean>
  /** Everybody who has a key. */
  subaccounts(): Promise<readonly string[]>
  /** Makes a new key, which seals from now on. */
  renew(subaccountId: string): Promise<void>
}

interface Keys {
  readonly newest: SealKey
  readonly byId: ReadonlyMap<string, SealKey>
  readonly sealer: Sealer
}

/**
 * Seals with AES-256-GCM and a key for each subaccount. A key is made when it is first asked for and kept sealed with the master key, so that the master key
 * can be changed without sealing everything again. Texts that were sealed with the master key itself, as early versions did, open as well.
 *
 * Several processes may share the database. Must not be asked from within a transaction of the same database object.
 */
export function createDataKeys<Schema>(options: { readonly db: Kysely<Schema>; readonly master: Sealer }): DataKeys {
  const { master } = options
  // The table comes with our own steps, whatever else the database holds.
  const db = options.db as unknown as Kysely<DataKeySchema>
  const kept = new Map<string, Promise<Keys>>()

  async function insert(subaccountId: string, generation: number): Promise<void> {
    const wrapped = master.seal(randomBytes(sealKeyBytes).toString('base64'), wrapContext(subaccountId, generation))
    // Somebody else may be faster; then theirs counts.
    await db
      .insertInto('sealing_data_key')
      .values({ subaccount_id: subaccountId, generation, wrapped_key: wrapped })
      .onConflict((conflict) => conflict.columns(['subaccount_id', 'generation']).doNothing())
      .execute()
  }

  const rowsOf = (subaccountId: string): Promise<DataKeySchema['sealing_data_key'][]> =>
    db.selectFrom('sealing_data_key').selectAll().where('subaccount_id', '=', subaccountId).orderBy('generation').execute()

  async function load(subaccountId: string): Promise<Keys> {
    let rows = await rowsOf(subaccountId)
    if (rows.length === 0) {
      await insert(subaccountId, 1)
      rows = await rowsOf(subaccountId)
    }
    const keys = rows.map((row) =>
      createSealKey(Buffer.from(master.open(row.wrapped_key, wrapContext(subaccountId, row.generation)), 'base64')),
    )
    const newest = keys.at(-1) as SealKey
    const byId = new Map(keys.map((key) => [key.id, key]))
    return {
      newest,
      byId,
      sealer: {
        seal: (plaintext, context) => sealText('v2', newest, plaintext, context),
        open: (sealed, context) =>
          parseSealedText(sealed).version === 'v1' ? master.open(sealed, context) : openText(sealed, byId, context),
      },
    }
  }

  /** Remembers what was asked last; a failure is not remembered. */
  function keysOf(subaccountId: string): Promise<Keys> {
    const known = kept.get(subaccountId)
    kept.delete(subaccountId)
    const keys = known ?? load(subaccountId)
    kept.set(subaccountId, keys)
    if (known === undefined) {
      keys.catch(() => kept.get(subaccountId) === keys && kept.delete(subaccountId))
      const [oldest] = kept.size > maxKeptDataKeys ? kept.keys() : []
      if (oldest !== undefined) kept.delete(oldest)
    }
    return keys
  }

  return {
    async of(subaccountId, ...sealed) {
      const keys = await keysOf(subaccountId)
      const unknown = sealed.some((text) => {
        const { version, keyId } = parseSealedText(text)
        return version === 'v2' && !keys.byId.has(keyId)
      })
      if (!unknown) return keys.sealer
      // Another process has renewed the key.
      kept.delete(subaccountId)
      return (await keysOf(subaccountId)).sealer
    },
    async isCurrent(subaccountId, sealed) {
      const { version, keyId } = parseSealedText(sealed)
      return version === 'v2' && keyId === (await keysOf(subaccountId)).newest.id
    },
    async subaccounts() {
      const rows = await db.selectFrom('sealing_data_key').select('subaccount_id').distinct().execute()
      return rows.map((row) => row.subaccount_id)
    },
    async renew(subaccountId) {
      const newest = (await rowsOf(subaccountId)).at(-1)
      await insert(subaccountId, (newest?.generation ?? 0) + 1)
      kept.delete(subaccountId)
    },
  }
}
