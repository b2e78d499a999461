import { executedSteps, migrate } from '@sallyport/store'
import { openDatabases, type MaintenanceContext } from './cloud-backup.ts'
import { type CloudDatabase, describeStorage } from './cloud-database.ts'

/** What a part of a database is like. */
export interface PartEntry {
  readonly part: string
  readonly location: string
  /** Steps that have been run; none before a service has started for the first time. */
  readonly steps: readonly string[]
  readonly pending: readonly string[]
  /** Steps of a newer version. */
  readonly unknown: readonly string[]
}

/** Looks at every part of every database without changing any. */
export async function readDatabaseStatus(context: MaintenanceContext, databases: readonly CloudDatabase[]): Promise<readonly PartEntry[]> {
  const entries: PartEntry[] = []
  for (const database of databases) {
    await using opened = await openDatabases(context, [database], { create: false })
    const [found] = opened.databases
    for (const { name, migrations } of database.parts) {
      const steps = found === undefined ? [] : await executedSteps(found.db, name)
      const known = Object.keys(migrations)
      entries.push({
        part: name,
        location: describeStorage(context, database),
        steps,
        pending: known.filter((step) => !steps.includes(step)).toSorted(),
        unknown: steps.filter((step) => !known.includes(step)),
      })
    }
  }
  return entries
}

/** Brings every part up to date, also those that are not there yet. @returns the steps that were missing */
export async function migrateDatabases(context: MaintenanceContext, databases: readonly CloudDatabase[]): Promise<readonly string[]> {
  const before = await readDatabaseStatus(context, databases)
  await using opened = await openDatabases(context, databases, { create: true })
  for (const { db, parts } of opened.databases) for (const { name, migrations } of parts) await migrate(db, migrations, { part: name })
  return before.flatMap(({ part, pending }) => pending.map((step) => `${part} ${step}`))
}
