import type { StoredTable } from '@sallyport/core'
import type { Kysely } from 'kysely'
import type { DestinationTables } from '../entities/entity-migrations.ts'
import type { Level } from '../entities/entity-repository.ts'

/** One thing that somebody is told once: that this certificate, which ends at this time, has at most so many days left. */
export interface ExpiryNotice {
  readonly level: Level
  readonly name: string
  readonly expiresAtMs: number
  readonly days: number
}

/** Remembers who has been told what. Nothing of it is secret. */
export interface ExpiryNotices {
  /**
   * Whether the caller is the one to tell: nobody has told yet, and nobody else is about to. Whoever gets `true` has to say {@link ExpiryNotices.told} within the
   * lease; a process that dies on the way leaves it to others after that.
   */
  claim(notice: ExpiryNotice, lease: { readonly nowMs: number; readonly leaseMs: number }): Promise<boolean>
  /** It has been told, once and for all. */
  told(notice: ExpiryNotice): Promise<void>
  /** Lets somebody else try, because it could not be told. */
  giveBack(notice: ExpiryNotice): Promise<void>
  /** Forgets what concerns certificates that have ended. */
  forgetEnded(nowMs: number): Promise<void>
}

/** Keeps notices in SQL, so that restarts and replicas tell nothing twice, unless somebody dies between telling and saying so. */
export function createSqlExpiryNotices(db: Kysely<DestinationTables>): ExpiryNotices {
  const row = ({
    level,
    name,
    expiresAtMs,
    days,
  }: ExpiryNotice): { subaccount_id: string; instance_id: string; name: string; expires_at_ms: number; days: number } => ({
    subaccount_id: level.subaccountId,
    instance_id: level.instanceId ?? '',
    name,
    expires_at_ms: expiresAtMs,
    days,
  })
  return {
    async claim(notice, { nowMs, leaseMs }) {
      const leased_until_ms = nowMs + leaseMs
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('certificate_notice')
        .values({ ...row(notice), leased_until_ms })
        .onConflict((conflict) =>
          conflict
            .columns(['subaccount_id', 'instance_id', 'name', 'expires_at_ms', 'days'])
            .doUpdateSet({ leased_until_ms })
            // What has been told is null, and compares with nothing.
            .where('certificate_notice.leased_until_ms', '<=', nowMs),
        )
        .executeTakeFirst()
      return numInsertedOrUpdatedRows === 1n
    },
    async told(notice) {
      await db
        .updateTable('certificate_notice')
        .set({ leased_until_ms: null })
        .where((build) => build.and(row(notice)))
        .execute()
    },
    async giveBack(notice) {
      await db
        .deleteFrom('certificate_notice')
        .where((build) => build.and(row(notice)))
        .execute()
    },
    async forgetEnded(nowMs) {
      await db.deleteFrom('certificate_notice').where('expires_at_ms', '<', nowMs).execute()
    },
  }
}

/** The table, for jobs over whole databases. */
export const noticeTable: StoredTable = {
  name: 'certificate_notice',
  key: ['subaccount_id', 'instance_id', 'name', 'expires_at_ms', 'days'],
  sealed: [],
}
