import { ConnectivityError, type CustomerKeyDescription, underSignal, withDeadline } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { keySystemTimeoutMs } from '../limits.ts'
import type { CustomerKeyRow, KeySchema } from './key-tables.ts'
import { isOutage, type KeyManagementSystems } from './wrapping-key.ts'

/** How it stands with the key of a subaccount. */
export interface CustomerKeyState {
  readonly subaccountId: string
  readonly system: string
  readonly key: string
  readonly sinceMs: number
  /** Whether everything that was stored before the key was taken into use is sealed with data keys that are younger. */
  readonly settled: boolean
  /** `usable`: it unwraps now. `unavailable`: its system refuses it. `unreachable`: the system does not answer, which says nothing about the key. */
  readonly state: 'usable' | 'unavailable' | 'unreachable'
  /** Why it is not usable, for the operator: names the system and perhaps the key, and holds no secrets. */
  readonly reason?: string
  /** What the system tells of the key. */
  readonly description?: CustomerKeyDescription
}

/** Asks each system for what it has wrapped. */
export async function customerKeyStates(
  db: Kysely<KeySchema>,
  systems: KeyManagementSystems,
  subaccountId: string | undefined,
): Promise<readonly CustomerKeyState[]> {
  const rows = await db
    .selectFrom('sealing_customer_key')
    .selectAll()
    .$if(subaccountId !== undefined, (query) => query.where('subaccount_id', '=', subaccountId ?? ''))
    .orderBy('subaccount_id')
    .execute()
  return Promise.all(rows.map((row) => stateOf(row, systems)))
}

async function stateOf(row: CustomerKeyRow, systems: KeyManagementSystems): Promise<CustomerKeyState> {
  const known = {
    subaccountId: row.subaccount_id,
    system: row.system,
    key: row.key_name,
    sinceMs: row.since_ms,
    settled: row.settled_at_ms !== null,
  }
  const system = Object.hasOwn(systems, row.system) ? systems[row.system] : undefined
  if (system === undefined)
    return { ...known, state: 'unavailable', reason: `there is no key management system "${row.system}" in the configuration` }
  const key = system.key(row.key_name)
  const signal = withDeadline(keySystemTimeoutMs)
  try {
    await underSignal(key.unwrap(row.wrapped_key, signal), signal, `asking ${row.system} for the key ${row.key_name}`)
  } catch (error) {
    const reason = ConnectivityError.is(error) ? error.message : 'the key management system has failed'
    return { ...known, state: isOutage(error) ? 'unreachable' : 'unavailable', reason }
  }
  try {
    return { ...known, state: 'usable', description: await underSignal(key.describe(signal), signal, 'describing a key') }
  } catch {
    // It can be used, which is what counts; not everybody may look at its properties.
    return { ...known, state: 'usable' }
  }
}
