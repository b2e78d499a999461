import type { Label } from '@sallyport/admin-api'
import type { StoredRow, StoredTable, SubaccountSealers } from '@sallyport/core'
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
]

type ContentColumn = Exclude<keyof DestinationTables['entity'], 'kind' | 'subaccount_id' | 'instance_id'>

/** What is selected by {@link contentColumns}. */
export type ContentRow = Pick<Selectable<DestinationTables['entity']>, ContentColumn>

/** Turns the content of an entity into columns. */
export type CloseEntity = (kind: EntityKind, level: Level, write: EntityWrite) => Pick<ContentRow, 'properties' | 'hidden'>

/** Turns entities into rows and back. What is sealed is bound to kind, level and name, so that a row that was moved does not open. */
export interface EntitySeal {
  /** For writing to a subaccount; has to be asked for before a transaction begins. */
  closing(subaccountId: string): Promise<CloseEntity>
  /** @throws ConnectivityError `STORE_FAILED` when the row was changed or moved. */
  open(kind: EntityKind, level: Level, row: ContentRow): Promise<StoredEntity>
}

/** Seals with the key of the subaccount that an entity belongs to. */
export function createEntitySeal(sealers: SubaccountSealers): EntitySeal {
  return {
    async closing(subaccountId) {
      const sealer = await sealers.of(subaccountId)
      return (kind, level, { name, properties, hidden = {} }) => ({
        properties: sealer.seal(JSON.stringify(properties), context(kind, level, name)),
        hidden: Object.keys(hidden).length === 0 ? null : sealer.seal(JSON.stringify(hidden), hiddenContext(kind, level, name)),
      })
    },
    async open(kind, level, row) {
      const sealer = await sealers.of(level.subaccountId, row.properties, ...(row.hidden === null ? [] : [row.hidden]))
      return {
        kind,
        name: row.name,
        properties: JSON.parse(sealer.open(row.properties, context(kind, level, row.name))) as Record<string, string>,
        hidden:
          row.hidden === null ? {} : (JSON.parse(sealer.open(row.hidden, hiddenContext(kind, level, row.name))) as Record<string, string>),
        sharedWithSubscriber: row.shared_with_subscriber !== 0,
        createdAtMs: Number(row.created_at_ms),
        modifiedAtMs: Number(row.modified_at_ms),
        labels: JSON.parse(row.labels) as Label[],
      }
    },
  }
}

/** Tables of entities, parents first, for jobs over whole databases. */
export const entityTables: readonly StoredTable[] = [
  { name: 'entity_subaccount', key: ['subaccount_id'], sealed: [] },
  {
    name: 'entity',
    key: ['kind', 'subaccount_id', 'instance_id', 'name'],
    sealed: [
      { column: 'properties', subaccount: (row) => String(row['subaccount_id']), context: (row) => context(...keyOf(row)) },
      { column: 'hidden', subaccount: (row) => String(row['subaccount_id']), context: (row) => hiddenContext(...keyOf(row)) },
    ],
  },
]

function keyOf(row: StoredRow): [EntityKind, Level, string] {
  const instanceId = String(row['instance_id'])
  const level = { subaccountId: String(row['subaccount_id']), instanceId: instanceId === '' ? null : instanceId }
  return [row['kind'] as EntityKind, level, String(row['name'])]
}

function context(kind: EntityKind, level: Level, name: string): string {
  return JSON.stringify([kind, level.subaccountId, level.instanceId, name])
}

function hiddenContext(kind: EntityKind, level: Level, name: string): string {
  return JSON.stringify([kind, level.subaccountId, level.instanceId, name, 'hidden'])
}
