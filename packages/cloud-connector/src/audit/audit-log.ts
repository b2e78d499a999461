import type { KeyObject } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { type AuditEntry, type AuditSink, type Clock, ConnectivityError, type Logger, silentLogger } from '@sallyport/core'
import { auditGatherMs, auditRetryMs, auditSyncMs, maxOpenAuditSegments, maxPendingAuditEntries } from '../limits.ts'
import { type AuditIndex, openAuditIndex } from './audit-index.ts'
import { type AuditSegment, openAuditSegment } from './audit-segment.ts'
import { removeOldSegments } from './remove-old-segments.ts'
import { formatAuditBody } from './audit-line.ts'

/** An audit sink on disk. */
export interface AuditLog extends AuditSink, AsyncDisposable {
  /** Keeps segments of a subaccount for so many days; 0, the default, for ever. Applied when a day begins. */
  retain(subaccount: string, days: number): void
  /** Writes and syncs what is accepted, then closes the files. Works after failures and more than once. */
  close(): Promise<void>
}

interface Chain {
  readonly subaccount: string
  segment: AuditSegment | undefined
  pending: PendingEntry[]
  retentionDays: number
  /** Whether the log says that it has started. */
  started: boolean
}

/** An accepted entry, ready to be chained. */
interface PendingEntry {
  readonly day: string
  readonly body: string
}

/** Somebody who wants everything accepted so far on stable storage. */
interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Writes hash-chained segments, one per subaccount and UTC day, below `folder`.
 *
 * Entries are gathered and written with one call per subaccount, at once after a pause and every few milliseconds under load. They reach stable storage (`fdatasync`) within a second, or when
 * somebody waits for `flushed`. When the disk refuses, entries stay in memory, writing is tried again every second and `failing` is true
 * until it works: callers deny meanwhile.
 *
 * So many segments are open at most; who has not written for the longest time is closed first, and opened again when there is something to write.
 *
 * `key` is a secret key of 32 octets that only this connector has; who has it can forge entries.
 */
export function createAuditLog(options: {
  readonly folder: string
  readonly key: KeyObject
  readonly clock: Clock
  readonly log?: Logger
}): AuditLog {
  const { clock, folder, key, log = silentLogger } = options
  const chains = new Map<string, Chain>()
  /** Those with an open segment, the least recently used first. */
  const open = new Set<Chain>()
  let index: AuditIndex | undefined
  let pendingCount = 0
  let broken = false
  let closed = false
  let running: Promise<void> | undefined
  let again = false
  let syncDue = false
  let waiting: Waiter[] = []
  let cancelSync: (() => void) | undefined
  let cancelRetry: (() => void) | undefined
  let cancelGather: (() => void) | undefined

  const chainOf = (name: string): Chain => {
    // A token can name a subaccount with half a character, which no file can; it must not stop the log for all.
    const subaccount = name.toWellFormed()
    const known = chains.get(subaccount)
    if (known !== undefined) return known
    const chain: Chain = { subaccount, segment: undefined, pending: [], retentionDays: 0, started: false }
    chains.set(subaccount, chain)
    return chain
  }

  const closeSegment = async (chain: Chain): Promise<void> => {
    // What can fail for a while comes first: a segment that is half closed could not be closed again.
    await chain.segment?.sync()
    const before = chain.segment
    chain.segment = undefined
    open.delete(chain)
    await before?.close()
  }

  /** Makes room for one more segment. One with a write that failed stays: it alone knows how far that came. */
  const closeLeastUsed = async (): Promise<void> => {
    for (const chain of open) {
      if (open.size < maxOpenAuditSegments) return
      if (chain.segment?.isWritten === true) await closeSegment(chain)
    }
  }

  /** Writes what is pending for one day and says how many entries that were. */
  const writeDay = async (chain: Chain): Promise<number> => {
    const day = chain.pending[0]?.day ?? ''
    // An earlier day can only come when the clock was set back; it goes on in the open segment.
    if (chain.segment === undefined || chain.segment.day < day) {
      await closeSegment(chain)
      await closeLeastUsed()
      const keptFrom = chain.retentionDays > 0 ? daysBefore(day, chain.retentionDays) : undefined
      if (keptFrom !== undefined) {
        const removed = await removeOldSegments({ folder, key, subaccount: chain.subaccount, firstDay: keptFrom })
        if (removed > 0) log.info({ subaccount: chain.subaccount, segments: removed }, 'old audit segments removed')
      }
      if (index === undefined) {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        index = await openAuditIndex({ folder, key })
      }
      chain.segment = await openAuditSegment({
        index,
        folder,
        subaccount: chain.subaccount,
        day,
        key,
        ...(keptFrom === undefined ? {} : { keptFrom }),
      })
    }
    const { segment } = chain
    open.delete(chain)
    open.add(chain)
    const next = chain.pending.findIndex((entry) => entry.day > segment.day)
    const due = next < 0 ? chain.pending : chain.pending.slice(0, next)
    const written = await segment.append(due.map((entry) => entry.body))
    chain.pending = chain.pending.slice(written)
    pendingCount -= written
    return written
  }

  const writeAll = async (): Promise<void> => {
    const sync = syncDue || waiting.length > 0
    const served = waiting
    waiting = []
    try {
      for (const chain of chains.values()) {
        // What comes meanwhile is gathered for the next time.
        for (let left = chain.pending.length; left > 0;) left -= await writeDay(chain)
        if (sync) await chain.segment?.sync()
      }
    } catch (error) {
      fail(error, served)
      return
    }
    if (broken) log.info({}, 'the audit log can be written again')
    broken = false
    if (!sync) return
    syncDue = false
    for (const waiter of served) waiter.resolve()
  }

  const fail = (error: unknown, served: readonly Waiter[]): void => {
    const code = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : 'unknown error')
    if (!broken) log.error({ code: 'STORE_FAILED', error: code }, 'the audit log cannot be written; access is denied until it can')
    broken = true
    for (const waiter of served)
      waiter.reject(new ConnectivityError('STORE_FAILED', `the audit log cannot be written (${code})`, { cause: error }))
    cancelRetry?.()
    cancelRetry = closed ? undefined : clock.after(auditRetryMs, () => void run())
  }

  /** One writer at a time; what comes meanwhile makes it go round once more. */
  const run = (): Promise<void> => {
    again = true
    running ??= (async () => {
      while (again) {
        again = false
        await writeAll()
      }
      running = undefined
    })()
    return running
  }

  let scheduled = false
  let writtenMs = 0
  const writeNow = (): void => {
    scheduled = false
    writtenMs = clock.now()
    void run()
  }
  const schedule = (): void => {
    cancelSync ??= clock.after(auditSyncMs, () => {
      cancelSync = undefined
      syncDue = true
      void run()
    })
    if (scheduled || broken) return
    scheduled = true
    if (clock.now() - writtenMs < auditGatherMs) cancelGather = clock.after(auditGatherMs, writeNow)
    else setImmediate(writeNow)
  }

  let timestamp = ''
  let timestampMs = Number.NaN
  const accept = (entry: AuditEntry): void => {
    const nowMs = clock.now()
    if (nowMs !== timestampMs) {
      timestampMs = nowMs
      timestamp = new Date(nowMs).toISOString()
    }
    chainOf(entry.subaccount).pending.push({ day: timestamp.slice(0, 10), body: formatAuditBody(timestamp, entry) })
    pendingCount++
  }

  const audit: AuditLog = {
    get failing() {
      return broken || closed || pendingCount >= maxPendingAuditEntries
    },
    write(entry) {
      if (closed) throw new Error('the audit log is closed')
      const chain = chainOf(entry.subaccount)
      if (!chain.started) {
        chain.started = true
        accept({
          type: 'service-started',
          subaccount: entry.subaccount,
          user: '',
          message: `Audit Service is started for ${entry.subaccount || '_crossaccount'}`,
        })
      }
      accept(entry)
      schedule()
    },
    flushed() {
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        void run()
      })
    },
    retain(subaccount, days) {
      const known = chains.get(subaccount.toWellFormed())
      if (known !== undefined) known.retentionDays = days
      else if (days > 0) chainOf(subaccount).retentionDays = days
    },
    async close() {
      if (closed) return
      closed = true
      cancelSync?.()
      cancelRetry?.()
      cancelGather?.()
      syncDue = true
      await run()
      for (const chain of chains.values()) await chain.segment?.close()
    },
    [Symbol.asyncDispose]: () => audit.close(),
  }
  return audit
}

function daysBefore(day: string, days: number): string {
  return new Date(Date.parse(day) - days * 86_400_000).toISOString().slice(0, 10)
}
