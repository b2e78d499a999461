import { existsSync, renameSync, rmSync } from 'node:fs'
import { systemClock } from '@sallyport/core'
import { createSqlEntityRepository, destinationMigrations, type DestinationTables } from '@sallyport/destination-service'
import { createDataKeys, createSealer, dataKeyMigrations, dataKeyPart, migrate, openDatabase } from '@sallyport/store'

/** The key that every data set is sealed with; nothing in it is secret. */
export const dataSetKey: Buffer = Buffer.alloc(32, 1)

/** How many subaccounts there are, and destinations in each. */
export interface DataSetSize {
  readonly subaccounts: number
  readonly destinations: number
}

/** Names by number; each subaccount has the same ones. */
export const subaccountOf = (at: number): string => `subaccount-${String(at).padStart(4, '0')}`
export const destinationOf = (at: number): string => `destination-${String(at).padStart(4, '0')}`

/** Writes a database unless the file is there from an earlier run. A million destinations take about a minute and 700 MB. */
export async function prepareDataSet(file: string, size: DataSetSize): Promise<void> {
  if (existsSync(file)) return
  const unfinished = `${file}.unfinished`
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${unfinished}${suffix}`, { force: true })
  const db = openDatabase<DestinationTables>(unfinished)
  await migrate(db, destinationMigrations, { part: 'destinations' })
  await migrate(db, dataKeyMigrations, { part: dataKeyPart })
  const repository = createSqlEntityRepository({
    db,
    sealers: createDataKeys({ db, master: createSealer({ current: dataSetKey }), clock: systemClock }),
  })
  const nowMs = Date.now()
  for (let at = 0; at < size.subaccounts; at += 1) {
    const writes = Array.from({ length: size.destinations }, (_, number) => ({
      name: destinationOf(number),
      properties: propertiesOf(destinationOf(number)),
      sharedWithSubscriber: false,
    }))
    const level = { subaccountId: subaccountOf(at), instanceId: null }
    await repository.create('destination', level, writes, { nowMs, maxPerSubaccount: size.destinations })
    if (at % 100 === 99) process.stderr.write(`${(at + 1) * size.destinations} destinations written\n`)
  }
  // Closing empties the log, so that the file alone is the database.
  await db.destroy()
  renameSync(unfinished, file)
}

function propertiesOf(name: string): Record<string, string> {
  return {
    Name: name,
    Type: 'HTTP',
    Description: 'Sales orders of the central system, for the benchmark',
    ProxyType: 'Internet',
    URL: `https://${name}.example.com/sap/opu/odata/sap/API_SALES_ORDER`,
    Authentication: 'BasicAuthentication',
    User: 'TECHNICAL_USER',
    Password: 'a password of some length',
    'sap-client': '100',
    'HTML5.DynamicDestination': 'true',
  }
}
