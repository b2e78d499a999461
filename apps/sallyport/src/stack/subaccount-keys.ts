import type { Clock, Logger } from '@sallyport/core'
import {
  createCustomerKeys,
  createDataKeys,
  type CustomerKeys,
  type Database,
  type DatabasePart,
  type DataKeys,
  type MasterSealer,
} from '@sallyport/store'
import type { Configuration } from '../configuration/configuration.ts'
import { openKeySystems } from '../kms/open-key-systems.ts'

/** The keys of subaccounts in one database, and the keys of customers around them. */
export interface SubaccountKeys extends AsyncDisposable {
  readonly dataKeys: DataKeys
  readonly customerKeys: CustomerKeys
  /** As {@link createDataKeys} has it. */
  readonly maxAgeMs: number
}

/** Puts them together as the configuration says. The caller disposes; the database stays open. */
export function openSubaccountKeys<Schema>(deps: {
  readonly configuration: Configuration
  readonly db: Database<Schema>
  readonly parts: readonly DatabasePart[]
  readonly master: MasterSealer
  readonly clock: Clock
  readonly log?: Logger
}): SubaccountKeys {
  const { configuration, parts, ...shared } = deps
  const keySystems = openKeySystems(configuration, deps.clock)
  const { systems, maxAgeMs } = keySystems
  const dataKeys = createDataKeys({ ...shared, systems, maxAgeMs })
  const customerKeys = createCustomerKeys({ ...shared, tables: parts.flatMap(({ tables }) => tables), dataKeys, systems, maxAgeMs })
  return { dataKeys, customerKeys, maxAgeMs, [Symbol.asyncDispose]: () => keySystems[Symbol.asyncDispose]() }
}

/** Settles changes of keys again and again, until the returned function is called. A failure is logged, and tried again. */
export function settleFromTimeToTime({ customerKeys, maxAgeMs }: SubaccountKeys, clock: Clock, log: Logger): () => void {
  let cancel = (): void => {}
  let ended = false
  const schedule = (): void => {
    cancel = clock.after(maxAgeMs, () => {
      void customerKeys
        .settle()
        .then(
          (settled) => {
            for (const subaccount of settled) log.info({ subaccount }, 'everything of the subaccount is sealed with its newest keys')
          },
          (error: unknown) => log.warn({ reason: error instanceof Error ? error.message : 'unknown' }, 'changed keys cannot be settled'),
        )
        .finally(() => (ended ? undefined : schedule()))
    })
  }
  schedule()
  return () => {
    ended = true
    cancel()
  }
}
