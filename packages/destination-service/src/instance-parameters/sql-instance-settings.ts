import type { StoredTable } from '@sallyport/core'
import type { Kysely } from 'kysely'
import type { DestinationTables } from '../entities/entity-migrations.ts'
import { defaultInstanceSettings, type InstanceSettings, type InstanceSettingsRepository } from './instance-settings.ts'

/** The table of settings, for jobs over whole databases. */
export const settingsTable: StoredTable = { name: 'instance_settings', key: ['instance_id'], sealed: [] }

/** Keeps settings of instances in SQL, in what SQLite and PostgreSQL have in common. They hold no secrets. */
export function createSqlInstanceSettings({ db }: { readonly db: Kysely<DestinationTables> }): InstanceSettingsRepository {
  return {
    async find(instanceId) {
      const row = await db.selectFrom('instance_settings').select('settings').where('instance_id', '=', instanceId).executeTakeFirst()
      return row === undefined ? defaultInstanceSettings : read(row.settings)
    },
    change: (instanceId, change) =>
      db.transaction().execute(async (transaction) => {
        // The row is written before it is read, so that a second writer waits here.
        await transaction
          .insertInto('instance_settings')
          .values({ instance_id: instanceId, settings: JSON.stringify(defaultInstanceSettings) })
          .onConflict((conflict) =>
            conflict.column('instance_id').doUpdateSet((row) => ({ settings: row.ref('instance_settings.settings') })),
          )
          .execute()
        const { settings } = await transaction
          .selectFrom('instance_settings')
          .select('settings')
          .where('instance_id', '=', instanceId)
          .executeTakeFirstOrThrow()
        await transaction
          .updateTable('instance_settings')
          .set({ settings: JSON.stringify(change(read(settings))) })
          .where('instance_id', '=', instanceId)
          .execute()
      }),
  }
}

/** A member that an older version did not know has its default. */
function read(settings: string): InstanceSettings {
  return { ...defaultInstanceSettings, ...(JSON.parse(settings) as Partial<InstanceSettings>) }
}
