import type { DestinationRecord } from '@sallyport/admin-api'

/**
 * Whose destinations: of a subaccount (`instanceId` is `null`), or of an instance as used by a subaccount. With the subaccount that owns the instance
 * the latter is the instance's own level, with another one it is that subscriber's.
 */
export interface Level {
  readonly subaccountId: string
  readonly instanceId: string | null
}

/** A destination as it is kept, with its secrets in clear. */
export interface StoredDestination {
  readonly properties: DestinationRecord
  /** On a subscriber's level: whether the subscriber itself may see it. */
  readonly sharedWithSubscriber: boolean
  readonly createdAtMs: number
  readonly modifiedAtMs: number
}

/** What an index says of a destination. */
export interface DestinationEntry {
  readonly name: string
  readonly modifiedAtMs: number
}

/** What is written; the name is the `Name` property. */
export interface DestinationWrite {
  readonly properties: DestinationRecord
  readonly sharedWithSubscriber: boolean
}

/** What became of one destination that was to be created. */
export type CreateOutcome = 'created' | 'exists' | 'full'
/** What became of one destination that was to be replaced. */
export type ReplaceOutcome = 'replaced' | 'unknown'

/**
 * Keeps destinations. Names are unique per level and compared byte for byte. Each call is one transaction: it is done as a whole when the promise
 * settles, and survives a crash from then on; when the promise rejects nothing has changed. Outcomes come in the order of what was asked.
 */
export interface DestinationRepository {
  find(level: Level, name: string): Promise<StoredDestination | undefined>
  /** Names and times of a level, in an order that stays the same. */
  index(level: Level): Promise<readonly DestinationEntry[]>
  /** Those of the named ones that exist, in any order. */
  read(level: Level, names: readonly string[]): Promise<readonly StoredDestination[]>
  /** `full` when the subaccount has `maxPerSubaccount` destinations on all its levels together. */
  create(level: Level, writes: readonly DestinationWrite[], options: CreateOptions): Promise<readonly CreateOutcome[]>
  /** Takes over all properties; the time of creation stays. */
  replace(level: Level, writes: readonly DestinationWrite[], options: { readonly nowMs: number }): Promise<readonly ReplaceOutcome[]>
  /** Returns the names of those that existed. */
  remove(level: Level, names: readonly string[]): Promise<readonly string[]>
  /** Settles when the store answers. */
  check(): Promise<void>
}

/** The time of creation, and how many there may be. */
export interface CreateOptions {
  readonly nowMs: number
  readonly maxPerSubaccount: number
}
