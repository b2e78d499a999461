import type { StoredTable } from '@sallyport/core'
import { keyTables } from '../keys/key-repositories.ts'
import { settingsTable } from '../instance-parameters/sql-instance-settings.ts'
import { entityTables } from './entity-seal.ts'

/** All tables of the service after the last step, for jobs over whole databases; keys of subaccounts are kept beside them. */
export const destinationStoredTables: readonly StoredTable[] = [...entityTables, ...keyTables, settingsTable]
