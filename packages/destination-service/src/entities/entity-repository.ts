import type { Label } from '@sallyport/admin-api'

/** What can be kept: each kind has its own names and its own limit. */
export type EntityKind = 'destination' | 'fragment' | 'certificate'

/**
 * Whose entities: of a subaccount (`instanceId` is `null`), or of an instance as used by a subaccount. With the subaccount that owns the instance the latter
 * is the instance's own level, with another one it is that subscriber's.
 */
export interface Level {
  readonly subaccountId: string
  readonly instanceId: string | null
  /**
   * On a subscriber's level: only the zone that the subscriber itself may see. Entities of the other zone are then neither found nor changed nor deleted,
   * what is created goes into the shared zone, and a name of the other zone still cannot be had twice. Absent: both zones, as the application sees them.
   */
  readonly sharedOnly?: boolean
}

/** An entity as it is kept, with its secrets in clear. Whoever holds one must not change it: it may be shared. */
export interface StoredEntity {
  readonly kind: EntityKind
  readonly name: string
  /** What the REST API shows; of a certificate `Name`, `Type` and `Content`. */
  readonly properties: Readonly<Record<string, string>>
  /** What is never shown, such as the password of a certificate that was generated. */
  readonly hidden: Readonly<Record<string, string>>
  /** On a subscriber's level: whether the subscriber itself may see it. */
  readonly sharedWithSubscriber: boolean
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  readonly labels: readonly Label[]
}

/** What an index says of an entity: what can be had without opening it. */
export interface EntityEntry {
  readonly name: string
  /** When its content was written last; labels do not count. */
  readonly modifiedAtMs: number
  readonly sharedWithSubscriber: boolean
  readonly labels: readonly Label[]
}

/** The content that is written. */
export interface EntityWrite {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  /** Nothing unless given. */
  readonly hidden?: Readonly<Record<string, string>>
  readonly sharedWithSubscriber: boolean
}

/** An entity and where it was found. */
export interface FoundEntity {
  readonly level: Level
  readonly entity: StoredEntity
}

/** What became of one entity that was to be created. */
export type CreateOutcome = 'created' | 'exists' | 'full'
/** What became of one entity that was to be replaced. */
export type ReplaceOutcome = 'replaced' | 'unknown'

/**
 * Keeps destinations, fragments and certificates. Names are unique per kind and level and compared byte for byte. Each call is one transaction: it is done
 * as a whole when the promise settles, and survives a crash from then on; when the promise rejects nothing has changed. Outcomes come in the order of what
 * was asked.
 */
export interface EntityRepository {
  find(kind: EntityKind, level: Level, name: string): Promise<StoredEntity | undefined>
  /** The entity of the first of these levels that has the name. */
  findFirst(kind: EntityKind, levels: readonly Level[], name: string): Promise<FoundEntity | undefined>
  /** What a level holds, in an order that stays the same. */
  index(kind: EntityKind, level: Level): Promise<readonly EntityEntry[]>
  /** Those of the named ones that exist, in any order. */
  read(kind: EntityKind, level: Level, names: readonly string[]): Promise<readonly StoredEntity[]>
  /** `full` when the subaccount has `maxPerSubaccount` of the kind on all its levels together. */
  create(kind: EntityKind, level: Level, writes: readonly EntityWrite[], options: CreateOptions): Promise<readonly CreateOutcome[]>
  /** Takes over the whole content; labels and the time of creation stay. What was written after `unchangedSinceMs` counts as unknown. */
  replace(kind: EntityKind, level: Level, writes: readonly EntityWrite[], options: ReplaceOptions): Promise<readonly ReplaceOutcome[]>
  /** Returns the names of those that existed. */
  remove(kind: EntityKind, level: Level, names: readonly string[]): Promise<readonly string[]>
  /** Sets what `change` makes of the labels; nobody else changes them meanwhile. `false` when there is no such entity. What `change` throws is passed on. */
  setLabels(kind: EntityKind, level: Level, name: string, change: (labels: readonly Label[]) => readonly Label[]): Promise<boolean>
  /**
   * Everything of a kind, of all tenants, for jobs. What is written meanwhile may or may not be among it. What does not open, such as the entities of somebody
   * who has taken back a key, is told to `unreadable` and passed over, unless that throws.
   */
  all(kind: EntityKind, unreadable: (level: Level, name: string, error: unknown) => void): AsyncIterable<FoundEntity>
  /** Settles when the store answers. */
  check(): Promise<void>
}

/** The time of creation, and how many there may be. */
export interface CreateOptions {
  readonly nowMs: number
  readonly maxPerSubaccount: number
}

/** The time of the change, and what must not have changed meanwhile. What was changed at that time already, or later, counts as changed a millisecond after that. */
export interface ReplaceOptions {
  readonly nowMs: number
  /** Replaces an entity only if it was modified last at this time; whenever that was unless told. */
  readonly unchangedSinceMs?: number
}
