import { type Clock, ConnectivityError, type Logger, silentLogger, type StoredTable } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { createSealKey, type SealKey } from '../sealed-text.ts'
import { reseal } from '../reseal.ts'
import type { MasterSealer } from '../sealer.ts'
import { type CustomerKeyState, customerKeyStates } from './customer-key-state.ts'
import { changeKeyRows, closeDataKey, newKeyBytes, openDataKey, readKeyRows } from './data-key-rows.ts'
import type { DataKeys } from './data-keys.ts'
import { type CustomerKeyRow, keysIn } from './key-tables.ts'
import { isKeyFailure, type KeyManagementSystems, unwrapWrappingKey, wrapWrappingKey } from './wrapping-key.ts'

/** A key of a customer, as the operator names it. */
export interface CustomerKeyName {
  readonly system: string
  readonly key: string
}

/** Whose data also needs a key of the customer, and the change from one such key to another. */
export interface CustomerKeys {
  /** What there is, after asking the key management systems about it; of one subaccount, or of all. */
  states(subaccountId?: string): Promise<readonly CustomerKeyState[]>
  /**
   * From now on nothing of the subaccount opens without this key: its data keys are wrapped with it, new ones seal, and what it has stored is sealed again.
   * The same key once more does so again, which takes the newest version of the key into use. Broken off, it can be called again; services may go on.
   */
  use(subaccountId: string, key: CustomerKeyName): Promise<void>
  /** From now on the key of the customer is not needed any more. `false` when it was not. */
  release(subaccountId: string): Promise<boolean>
  /**
   * Seals again what services wrote with the previous data keys before they had noticed a change, and what a change that was broken off has left. Changes that
   * some service may not know of yet wait for the next call. @returns subaccounts that are settled now
   */
  settle(): Promise<readonly string[]>
}

/**
 * Puts keys of customers around data keys. A subaccount gets a wrapping key that only the customer's key management system can unwrap; its data keys are sealed
 * with the wrapping key and, around that, with the master key. So neither the system alone nor the master key alone opens anything, the master key can be changed
 * without the system, and the system never sees a data key. Each change is one transaction.
 *
 * @throws ConnectivityError from its calls: `ENCRYPTION_KEY_UNAVAILABLE` and `SERVICE_UNAVAILABLE` as {@link CustomerKey}, `NOT_FOUND` for a system that is not
 * configured, `STORE_FAILED` when somebody else changes the keys of the subaccount at the same moment.
 */
export function createCustomerKeys<Schema>(deps: {
  readonly db: Kysely<Schema>
  /** Everything in the database that is sealed. */
  readonly tables: readonly StoredTable[]
  readonly master: MasterSealer
  readonly dataKeys: DataKeys
  readonly systems: KeyManagementSystems
  readonly clock: Clock
  /** As given to {@link createDataKeys} in the processes that share the database. */
  readonly maxAgeMs: number
  readonly log?: Logger
}): CustomerKeys {
  const { tables, master, dataKeys, systems, clock, maxAgeMs, log = silentLogger } = deps
  const db = keysIn(deps.db)

  /** Takes the rows from one wrapping key to another; `undefined` stands for none. */
  async function rewrap(
    subaccountId: string,
    before: CustomerKeyRow | undefined,
    after: { readonly row: CustomerKeyRow; readonly wrapping: SealKey } | undefined,
  ): Promise<void> {
    const wrapping = before === undefined ? undefined : await unwrapWrappingKey(before, systems)
    await changeKeyRows(db, subaccountId, async (transaction, { generations, customer }) => {
      if (customer?.id !== before?.id)
        throw new ConnectivityError('STORE_FAILED', `somebody else changes the keys of ${subaccountId} at this moment; try again`)
      for (const row of generations) {
        const { generation } = row
        await transaction
          .updateTable('sealing_data_key')
          .set(closeDataKey(openDataKey(row, master, wrapping), { subaccountId, generation }, master, after?.wrapping))
          .where('subaccount_id', '=', subaccountId)
          .where('generation', '=', generation)
          .execute()
      }
      await transaction.deleteFrom('sealing_customer_key').where('subaccount_id', '=', subaccountId).execute()
      if (after === undefined) return
      // A key that was ever kept without the customer's may be in backups: what comes from now on is not for it.
      const generation = (generations.at(-1)?.generation ?? 0) + 1
      await transaction
        .insertInto('sealing_data_key')
        .values(closeDataKey(newKeyBytes(), { subaccountId, generation }, master, after.wrapping))
        .execute()
      await transaction.insertInto('sealing_customer_key').values(after.row).execute()
    })
    dataKeys.forget(subaccountId)
  }

  async function sealAgain(subaccountId: string): Promise<void> {
    await reseal(db, { tables, master, dataKeys, only: subaccountId })
  }

  return {
    states: (subaccountId) => customerKeyStates(db, systems, subaccountId),
    async use(subaccountId, { system, key }) {
      const known = Object.hasOwn(systems, system) ? systems[system] : undefined
      if (known === undefined)
        throw new ConnectivityError('NOT_FOUND', `there is no key management system "${system}" in the configuration`)
      const bytes = newKeyBytes()
      const wrapping = createSealKey(bytes)
      const wrapped = await wrapWrappingKey(bytes, known.key(key))
      const { generations, customer } = await readKeyRows(db, subaccountId)
      // So that there is a row that two who are about to use the first key of the subaccount meet at.
      if (generations.length === 0) await dataKeys.of(subaccountId)
      const row = {
        subaccount_id: subaccountId,
        id: wrapping.id,
        system,
        key_name: key,
        wrapped_key: wrapped,
        since_ms: clock.now(),
        settled_at_ms: null,
      }
      await rewrap(subaccountId, customer, { row, wrapping })
      log.info({ subaccount: subaccountId }, 'the subaccount is encrypted with a key of its owner')
      await sealAgain(subaccountId)
    },
    async release(subaccountId) {
      const { customer } = await readKeyRows(db, subaccountId)
      if (customer === undefined) return false
      await rewrap(subaccountId, customer, undefined)
      log.info({ subaccount: subaccountId }, 'the subaccount is not encrypted with a key of its owner any more')
      return true
    },
    async settle() {
      const waiting = await db
        .selectFrom('sealing_customer_key')
        .selectAll()
        .where('settled_at_ms', 'is', null)
        // Until then a process may use what it has opened before the change.
        .where('since_ms', '<', clock.now() - 2 * maxAgeMs)
        .execute()
      const settled: string[] = []
      for (const { subaccount_id: subaccountId, id } of waiting) {
        try {
          await sealAgain(subaccountId)
        } catch (error) {
          if (!isKeyFailure(error)) throw error
          // Taken back meanwhile: it goes on when the key is back.
          continue
        }
        await db
          .updateTable('sealing_customer_key')
          .set({ settled_at_ms: clock.now() })
          .where('subaccount_id', '=', subaccountId)
          .where('id', '=', id)
          .execute()
        settled.push(subaccountId)
      }
      return settled
    },
  }
}
