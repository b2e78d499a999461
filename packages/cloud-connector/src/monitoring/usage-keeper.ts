import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import type { SystemMapping } from '../access-control/system-mapping.ts'
import { materialName } from '../identity/connector-identity.ts'
import type { MaterialStore } from '../identity/material-store.ts'
import { usageSaveMs } from '../limits.ts'
import type { KeptUsage, UsageStatistics } from './usage-statistics.ts'

interface Holder {
  readonly subaccount: string
  readonly locationId: string
}

/** Usage statistics as they were kept, or empty ones. What cannot be read is begun anew and said: statistics are no reason not to start. */
export async function restoreUsage(
  material: MaterialStore,
  holder: Holder,
  options: { readonly nowMs: number; readonly log: Logger },
): Promise<{ readonly sinceMs: number; readonly mappings: readonly KeptUsage[] }> {
  const empty = { sinceMs: options.nowMs, mappings: [] }
  try {
    const text = await material.load(materialName('usage', holder))
    return text === undefined ? empty : (JSON.parse(text) as { sinceMs: number; mappings: readonly KeptUsage[] })
  } catch (error) {
    options.log.warn({ ...holder, reason: ConnectivityError.is(error) ? error.message : 'unknown' }, 'usage statistics are begun anew')
    return empty
  }
}

/** Keeps usage statistics from time to time, and a last time when it is closed. */
export interface UsageKeeper {
  /** Settles when what was counted is kept; never rejects. */
  save(): Promise<void>
  close(): Promise<void>
}

/** A crash loses what was counted since the last time. */
export function createUsageKeeper(options: {
  readonly usage: UsageStatistics
  readonly mappings: () => readonly SystemMapping[]
  readonly holder: Holder
  readonly material: MaterialStore
  readonly clock: Clock
  readonly log: Logger
}): UsageKeeper {
  const { clock, holder, log, material, usage } = options
  let saving: Promise<void> = Promise.resolve()
  let cancel = (): void => {}
  let failing = false
  let keptRevision = usage.revision
  const write = async (): Promise<void> => {
    const { revision } = usage
    if (revision === keptRevision) return
    try {
      await material.save(materialName('usage', holder), JSON.stringify(usage.kept(options.mappings(), clock.now())))
      keptRevision = revision
      failing = false
    } catch (error) {
      if (!failing)
        log.warn({ ...holder, reason: ConnectivityError.is(error) ? error.message : 'unknown' }, 'usage statistics are not kept')
      failing = true
    }
  }
  const save = (): Promise<void> => (saving = saving.then(write))
  const schedule = (): void => {
    cancel = clock.after(usageSaveMs, () => {
      void save()
      schedule()
    })
  }
  schedule()
  return {
    save,
    async close() {
      cancel()
      await save()
    },
  }
}
