import type { Label } from '@sallyport/admin-api'
import type { Sealer } from '@sallyport/core'
import type { Selectable } from 'kysely'
import type { DestinationTables } from './entity-migrations.ts'
import type { EntityKind, EntityWrite, Level, StoredEntity } from './entity-repository.ts'

/** Everything of a row that an entity is made of, beside its key. */
export const contentColumns: readonly ContentColumn[] = [
  'name',
  'properties',
  'hidden',
  'labels',
  'shared_with_subscriber',
  'created_at_ms',
  'modified_at_ms',
  'revision',
]

type ContentColumn = Exclude<keyof DestinationTables['entity'], 'kind' | 'subaccount_id' | 'instance_id'>

/** What is selected by {@link contentColumns}. */
export type ContentRow = Pick<Selectable<DestinationTables['entity']>, ContentColumn>

/** Turns entities into rows and back. What is sealed is bound to kind, level and name, so that a row that was moved does not open. */
export interface EntitySeal {
  close(kind: EntityKind, level: Level, write: EntityWrite): Pick<ContentRow, 'properties' | 'hidden'>
  /** @throws ConnectivityError `STORE_FAILED` when the row was changed or moved. */
  open(kind: EntityKind, level: Level, row: ContentRow): StoredEntity
}

export function createEntitySeal(sealer: Sealer): EntitySeal {
  const context = (kind: EntityKind, level: Level, name: string): string =>
    JSON.stringify([kind, level.subaccountId, level.instanceId, name])
  const hiddenContext = (kind: EntityKind, level: Level, name: string): string =>
    JSON.stringify([kind, level.subaccountId, level.instanceId, name, 'hidden'])
  return {
    close: (kind, level, { name, properties, hidden = {} }) => ({
      properties: sealer.seal(JSON.stringify(properties), context(kind, level, name)),
      hidden: Object.keys(hidden).length === 0 ? null : sealer.seal(JSON.stringify(hidden), hiddenContext(kind, level, name)),
    }),
    open: (kind, level, row) => ({
      kind,
      name: row.name,
      properties: JSON.parse(sealer.open(row.properties, context(kind, level, row.name))) as Record<string, string>,
      hidden:
        row.hidden === null ? {} : (JSON.parse(sealer.open(row.hidden, hiddenContext(kind, level, row.name))) as Record<string, string>),
      sharedWithSubscriber: row.shared_with_subscriber !== 0,
      createdAtMs: Number(row.created_at_ms),
      modifiedAtMs: Number(row.modified_at_ms),
      labels: JSON.parse(row.labels) as Label[],
    }),
  }
}
