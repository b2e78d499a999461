import { writeSync } from 'node:fs'
import { systemClock } from '@sallyport/core'
import { createCustomerKeys, createDataKeys, createSealer, dataKeyTables } from '@sallyport/store'
import { openVault, treasureTable, vaultMaster, vaultSystem } from './vault.ts'

/** A process that changes the key of a subaccount over and over, from the operator's alone to one and another of its owner, until somebody kills it. */
const [file = ''] = process.argv.slice(2)
const db = await openVault(file)
const master = createSealer({ current: vaultMaster })
const systems = { kms: vaultSystem() }
const deps = { db, master, systems, clock: systemClock, maxAgeMs: 1 }
const customers = createCustomerKeys({ ...deps, tables: [...dataKeyTables, treasureTable], dataKeys: createDataKeys(deps) })
for (;;) {
  await customers.use('a', { system: 'kms', key: 'one' })
  writeSync(1, 'used\n')
  await customers.use('a', { system: 'kms', key: 'two' })
  writeSync(1, 'moved\n')
  await customers.release('a')
  writeSync(1, 'released\n')
}
