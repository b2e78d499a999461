import { type Clock, ConnectivityError, type Logger, type Sealer, silentLogger, type SubaccountSealers } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { defaultKeyAgeMs, keyRetryMs, maxKeptDataKeys } from '../limits.ts'
import { createSealKey, openText, parseSealedText, type SealKey, sealText } from '../sealed-text.ts'
import { changeKeyRows, closeDataKey, newKeyBytes, openDataKey, readKeyRows, type SubaccountKeyRows } from './data-key-rows.ts'
import { keysIn } from './key-tables.ts'
import { isKeyFailure, type KeyManagementSystems, unwrapWrappingKey } from './wrapping-key.ts'

/** As repositories use them, and what a change of keys needs beside. */
export interface DataKeys extends SubaccountSealers {
  /** Whether a text is sealed with the newest key of the subaccount. Asks no key management system, unless an early version made the key. */
  isCurrent(subaccountId: string, sealed: string): Promise<boolean>
  /** Everybody who has a key. */
  subaccounts(): Promise<readonly string[]>
  /** Makes a new key, which seals from now on. */
  renew(subaccountId: string): Promise<void>
  /** Forgets what it has opened of a subaccount, because somebody has changed its keys. */
  forget(subaccountId: string): void
}

/** What {@link createDataKeys} works with. */
export interface DataKeyDeps<Schema> {
  readonly db: Kysely<Schema>
  readonly master: Sealer
  readonly clock: Clock
  /** Where customers keep keys; none unless given. */
  readonly systems?: KeyManagementSystems
  /** How long keys are used without being asked for again, and so how long a key that its owner has taken back still works: {@link defaultKeyAgeMs} unless given. */
  readonly maxAgeMs?: number
  readonly log?: Logger
}

interface Keys {
  readonly newest: SealKey
  readonly byId: ReadonlyMap<string, SealKey>
  readonly sealer: Sealer
}

interface KeptKeys {
  readonly atMs: number
  readonly keys: Promise<Keys>
  /** The one that will take its place. */
  next?: KeptKeys
}

/**
 * Seals with AES-256-GCM and a key for each subaccount. A key is made when it is first asked for and kept sealed with the master key, so that the master key
 * can be changed without sealing everything again. Where a customer has a key of its own, its data keys open only with that one as well. Texts that were sealed
 * with the master key itself, as early versions did, open too.
 *
 * What has been opened is used for `maxAgeMs` at most. Half-way it is asked for again in the background, so that short outages of a key management system are
 * not noticed; a key that was taken back is forgotten as soon as the system says so.
 *
 * Several processes may share the database. Must not be asked from within a transaction of the same database object.
 */
export function createDataKeys<Schema>(deps: DataKeyDeps<Schema>): DataKeys {
  const { master, clock, systems = {}, maxAgeMs = defaultKeyAgeMs, log = silentLogger } = deps
  const db = keysIn(deps.db)
  const kept = new Map<string, KeptKeys>()
  /** Subaccounts whose keys were asked for in vain: a system that is in trouble is not asked for every request. */
  const failed = new Map<string, { readonly untilMs: number; readonly error: ConnectivityError }>()

  const newestIds = new Map<string, { readonly atMs: number; readonly id: string }>()

  async function readOrMake(subaccountId: string): Promise<SubaccountKeyRows> {
    const rows = await readKeyRows(db, subaccountId)
    if (rows.generations.length > 0) return rows
    // Somebody else may be faster; then theirs counts.
    await db
      .insertInto('sealing_data_key')
      .values(closeDataKey(newKeyBytes(), { subaccountId, generation: 1 }, master, undefined))
      .onConflict((conflict) => conflict.columns(['subaccount_id', 'generation']).doNothing())
      .execute()
    return readKeyRows(db, subaccountId)
  }

  async function open(rows: SubaccountKeyRows): Promise<Keys> {
    const { generations, customer } = rows
    const wrapping = customer === undefined ? undefined : await unwrapWrappingKey(customer, systems)
    const opened = generations.map((row) => createSealKey(openDataKey(row, master, wrapping)))
    const newest = opened.at(-1) as SealKey
    const byId = new Map(opened.map((key) => [key.id, key]))
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

  function load(subaccountId: string): KeptKeys {
    const atMs = clock.now()
    const keys = readOrMake(subaccountId).then(open)
    keys.then(
      () => {
        if (failed.delete(subaccountId)) log.info({ subaccount: subaccountId }, 'the keys of the subaccount are available again')
      },
      (error: unknown) => {
        if (!isKeyFailure(error)) return
        if (!failed.has(subaccountId))
          log.warn({ subaccount: subaccountId, code: error.code }, 'the keys of the subaccount are not available')
        failed.set(subaccountId, { untilMs: clock.now() + Math.min(keyRetryMs, maxAgeMs), error })
        boundTo(failed)
      },
    )
    return { atMs, keys }
  }

  function keep(subaccountId: string, entry: KeptKeys): KeptKeys {
    kept.delete(subaccountId)
    kept.set(subaccountId, entry)
    boundTo(kept)
    return entry
  }

  /** Remembers what was asked last; a failure is not remembered as an answer. */
  function keptKeys(subaccountId: string): KeptKeys {
    const known = kept.get(subaccountId)
    const ageMs = known === undefined ? maxAgeMs : clock.now() - known.atMs
    // A clock that was set back must not make keys last longer.
    if (known === undefined || ageMs >= maxAgeMs || ageMs < 0) {
      const entry = keep(subaccountId, load(subaccountId))
      entry.keys.catch(() => kept.get(subaccountId) === entry && kept.delete(subaccountId))
      return entry
    }
    if (ageMs >= maxAgeMs / 2 && known.next === undefined && !waits(subaccountId)) refresh(subaccountId, known)
    return keep(subaccountId, known)
  }

  function refresh(subaccountId: string, known: KeptKeys): void {
    const next = load(subaccountId)
    known.next = next
    next.keys.then(
      () => kept.get(subaccountId) === known && keep(subaccountId, next),
      (error: unknown) => {
        delete known.next
        if (ConnectivityError.is(error, 'ENCRYPTION_KEY_UNAVAILABLE') && kept.get(subaccountId) === known) kept.delete(subaccountId)
      },
    )
  }

  function waits(subaccountId: string): boolean {
    return (failed.get(subaccountId)?.untilMs ?? 0) > clock.now()
  }

  async function keysOf(subaccountId: string): Promise<Keys> {
    const failure = failed.get(subaccountId)
    if (failure !== undefined && waits(subaccountId) && !kept.has(subaccountId)) throw failure.error
    return keptKeys(subaccountId).keys
  }

  const dataKeys: DataKeys = {
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
      if (version !== 'v2') return false
      const known = newestIds.get(subaccountId)
      if (known !== undefined && clock.now() - known.atMs < maxAgeMs) return keyId === known.id
      const id = (await readKeyRows(db, subaccountId)).generations.at(-1)?.key_id ?? (await keysOf(subaccountId)).newest.id
      newestIds.set(subaccountId, { atMs: clock.now(), id })
      boundTo(newestIds)
      return keyId === id
    },
    async subaccounts() {
      const rows = await db.selectFrom('sealing_data_key').select('subaccount_id').distinct().execute()
      return rows.map((row) => row.subaccount_id)
    },
    async renew(subaccountId) {
      const { customer } = await readKeyRows(db, subaccountId)
      const wrapping = customer === undefined ? undefined : await unwrapWrappingKey(customer, systems)
      await changeKeyRows(db, subaccountId, async (transaction, now) => {
        if (now.customer?.id !== customer?.id)
          throw new ConnectivityError('STORE_FAILED', `somebody else changes the keys of ${subaccountId}; try again`)
        const generation = (now.generations.at(-1)?.generation ?? 0) + 1
        await transaction
          .insertInto('sealing_data_key')
          .values(closeDataKey(newKeyBytes(), { subaccountId, generation }, master, wrapping))
          .execute()
      })
      dataKeys.forget(subaccountId)
    },
    forget(subaccountId) {
      kept.delete(subaccountId)
      failed.delete(subaccountId)
      newestIds.delete(subaccountId)
    },
  }
  return dataKeys
}

function boundTo(map: Map<string, unknown>): void {
  const oldest = map.size > maxKeptDataKeys ? map.keys().next().value : undefined
  if (oldest !== undefined) map.delete(oldest)
}
