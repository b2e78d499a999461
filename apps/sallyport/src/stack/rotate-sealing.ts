import { ConnectivityError } from '@sallyport/core'
import { createSealer, type DatabasePart, dataKeyPart, executedSteps, reseal, type ResealOutcome } from '@sallyport/store'
import { openDatabases, type MaintenanceContext } from './cloud-backup.ts'
import type { CloudDatabase } from './cloud-database.ts'
import { readDatabaseStatus } from './database-status.ts'
import { masterKeys, renewMasterKey } from './master-keys.ts'
import { openSubaccountKeys } from './subaccount-keys.ts'

/**
 * Changes the master key and seals again what it seals. Where the configuration has the key somebody has changed it there before; otherwise a new one is
 * made. With `values` the keys of subaccounts change as well. Broken off, it can be called again.
 */
export async function rotateSealing(
  context: MaintenanceContext,
  databases: readonly CloudDatabase[],
  options: { readonly values: boolean },
): Promise<ResealOutcome & { readonly madeKey: boolean }> {
  await requireUpToDate(context, databases)
  await using opened = await openDatabases(context, databases, { create: false })
  const madeKey = renewMasterKey(context)
  const master = createSealer(masterKeys(context))
  let [values, sealedAgain] = [0, 0]
  const unavailable: string[] = []
  for (const { db, parts: all } of opened.databases) {
    const parts: DatabasePart[] = []
    for (const part of all) if ((await executedSteps(db, part.name)).length > 0) parts.push(part)
    await using keys = parts.some(({ name }) => name === dataKeyPart)
      ? openSubaccountKeys({ configuration: context.configuration, db, parts, master, clock: context.clock })
      : undefined
    const dataKeys = keys?.dataKeys
    const outcome = await reseal(db, { tables: parts.flatMap(({ tables }) => tables), master, dataKeys, renewDataKeys: options.values })
    values += outcome.values
    sealedAgain += outcome.sealedAgain
    unavailable.push(...outcome.unavailable)
  }
  return { madeKey, values, sealedAgain, unavailable }
}

/** Before a key is made that nothing would be sealed with. */
async function requireUpToDate(context: MaintenanceContext, databases: readonly CloudDatabase[]): Promise<void> {
  const entries = await readDatabaseStatus(context, databases)
  const behind = entries.find(({ steps, pending, unknown }) => steps.length > 0 && (pending.length > 0 || unknown.length > 0))
  if (behind !== undefined)
    throw new ConnectivityError('STORE_FAILED', `the tables of ${behind.part} are not those of this version`, {
      details: { next: 'sallyport db status' },
    })
  if (entries.every(({ steps }) => steps.length === 0))
    throw new ConnectivityError('NOT_FOUND', `there is no database in ${context.folder.path}`, {
      details: { next: 'name the folder of the installation with --data, or its configuration with --config' },
    })
}
