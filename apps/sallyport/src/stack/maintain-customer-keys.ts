import { ConnectivityError } from '@sallyport/core'
import { createSealer, migrate } from '@sallyport/store'
import { openDatabases, type MaintenanceContext } from './cloud-backup.ts'
import type { CloudDatabase } from './cloud-database.ts'
import { createCustomerEncryption, type CustomerEncryption } from './customer-encryption.ts'
import { masterKeys } from './master-keys.ts'
import { openSubaccountKeys } from './subaccount-keys.ts'

/**
 * Looks at or changes keys of customers beside the services. Their tables are brought up to date first.
 *
 * @throws ConnectivityError `NOT_FOUND` when no destination service has run here yet.
 */
export async function withCustomerEncryption<T>(
  context: MaintenanceContext,
  database: CloudDatabase,
  work: (encryption: CustomerEncryption) => Promise<T>,
): Promise<T> {
  await using opened = await openDatabases(context, [database], { create: false })
  const [found] = opened.databases
  if (found === undefined)
    throw new ConnectivityError('NOT_FOUND', `there is no database in ${context.folder.path}`, {
      details: { next: 'name the folder of the installation with --data, or its configuration with --config' },
    })
  for (const { name, migrations } of found.parts) await migrate(found.db, migrations, { part: name })
  const { configuration, clock } = context
  await using keys = openSubaccountKeys({ ...found, configuration, clock, master: createSealer(masterKeys(context)) })
  await keys.customerKeys.settle()
  return await work(createCustomerEncryption(configuration, keys.customerKeys))
}
