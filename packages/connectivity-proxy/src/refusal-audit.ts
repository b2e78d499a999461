import type { AuditEntry, AuditSink, Clock, Logger } from '@sallyport/core'
import { maxAuditedRefusals, maxRefusalKindLength, refusalAuditWindowMs } from './limits.ts'

/** Writes refusals to the audit log so that nobody can fill a disk by being refused. */
export interface RefusalAudit {
  /**
   * The first of its kind is written at once. Further ones within {@link refusalAuditWindowMs} are counted, and the count is one more entry when that time is over.
   * `kind` says which refusals of a subaccount are the same.
   */
  write(entry: AuditEntry, kind: string): void
  /** Writes the counts now: nothing will be refused any more. */
  flush(): void
}

interface Window {
  readonly first: AuditEntry
  /** Whether it counts refusals of every kind, because there are too many kinds. */
  readonly isMixed: boolean
  repeats: number
  cancel: () => void
}

/**
 * In front of an audit log. Kinds that somebody multiplies at will (paths, location IDs) share one window per subaccount once there are
 * {@link maxAuditedRefusals} of them, so a window of time costs a bounded number of lines, whatever is sent.
 *
 * While the log cannot be written, first ones are only logged: they must not be queued up by whoever cares to be refused. Counts are kept until it can.
 */
export function createRefusalAudit(options: { readonly audit: AuditSink; readonly clock: Clock; readonly log: Logger }): RefusalAudit {
  const { audit, clock, log } = options
  const windows = new Map<string, Window>()

  const choose = ({ type, subaccount }: AuditEntry, kind: string): { readonly key: string; readonly isMixed: boolean } => {
    const own = JSON.stringify([type, subaccount, kind.slice(0, maxRefusalKindLength)])
    if (windows.has(own) || windows.size < maxAuditedRefusals) return { key: own, isMixed: false }
    const mixed = JSON.stringify([type, subaccount])
    if (windows.has(mixed) || windows.size < 2 * maxAuditedRefusals) return { key: mixed, isMixed: true }
    return { key: type, isMixed: true }
  }

  const writeCount = ({ first, isMixed, repeats }: Window): void => {
    const count = `${repeats} more ${isMixed ? 'refusals of several kinds' : 'like it'} in ${refusalAuditWindowMs / 1000} s`
    const { type, subaccount, user, message } = first
    audit.write({ type, subaccount, user, message: `${message.slice(0, maxRefusalKindLength)} (${count})` })
  }

  const end = (key: string, window: Window): void => {
    if (window.repeats > 0 && audit.failing) {
      window.cancel = clock.after(refusalAuditWindowMs, () => end(key, window))
      return
    }
    windows.delete(key)
    if (window.repeats > 0) writeCount(window)
  }

  return {
    write(entry, kind) {
      const { key, isMixed } = choose(entry, kind)
      const known = windows.get(key)
      if (known !== undefined) known.repeats++
      else if (audit.failing) log.warn({ subaccount: entry.subaccount, reason: entry.message }, 'a refusal could not be audited')
      else {
        audit.write(entry)
        const window: Window = { first: entry, isMixed, repeats: 0, cancel: () => {} }
        window.cancel = clock.after(refusalAuditWindowMs, () => end(key, window))
        windows.set(key, window)
      }
    },
    flush() {
      for (const window of windows.values()) {
        window.cancel()
        if (window.repeats > 0) writeCount(window)
      }
      windows.clear()
    },
  }
}
