import { writeSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { crashOperation } from './crash-operations.ts'
import { type CrashStore, openCrashStore } from './crash-store.ts'

/**
 * A process that writes until somebody kills it or the database goes away: several chains at once, each in a subaccount of its own. It says chain and number
 * of every step that has been acknowledged.
 */
const { store, subaccounts } = JSON.parse(await text(process.stdin)) as { store: CrashStore; subaccounts: readonly string[] }
const { repository } = await openCrashStore(store)
await Promise.all(
  subaccounts.map(async (subaccountId) => {
    for (let step = 1; ; step += 1) {
      await crashOperation(step).run(repository, { subaccountId, instanceId: null })
      writeSync(1, `${subaccountId} ${step}\n`)
    }
  }),
)
