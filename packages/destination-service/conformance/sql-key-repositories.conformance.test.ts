import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@sallyport/core'
import {
  createDataKeys,
  createSealer,
  dataKeyMigrations,
  dataKeyPart,
  dataKeyTables,
  migrate,
  openDatabase,
  reseal,
} from '@sallyport/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createSqlKeyRepositories,
  destinationMigrations,
  type DestinationTables,
  type KeyRepositories,
  destinationStoredTables,
} from '../src/index.ts'
import { keyRepositoriesCases } from './key-repositories-suite.ts'

let folder: string
let close: (() => Promise<void>) | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-keys-'))
})
afterEach(async () => {
  await close?.()
  rmSync(folder, { recursive: true, force: true })
})

describe('the key repositories on SQLite', () => {
  it.each(Object.entries(keyRepositoriesCases))('%s', async (_name, run) => {
    const db = openDatabase<DestinationTables>(join(folder, 'destinations.db'))
    close = () => db.destroy()
    await migrate(db, destinationMigrations, { part: 'destinations' })
    await migrate(db, dataKeyMigrations, { part: dataKeyPart })
    const master = createSealer({ current: randomBytes(32) })
    const open = (): KeyRepositories =>
      createSqlKeyRepositories({ db, master, sealers: createDataKeys({ db, master, clock: systemClock }) })
    await expect(run({ repositories: open(), reopen: () => Promise.resolve(open()) })).resolves.toBeUndefined()
  })

  it('are sealed again with other keys, so that the old ones are not needed any more', async () => {
    const db = openDatabase<DestinationTables>(join(folder, 'destinations.db'))
    close = () => db.destroy()
    await migrate(db, destinationMigrations, { part: 'destinations' })
    await migrate(db, dataKeyMigrations, { part: dataKeyPart })
    const [previous, current] = [randomBytes(32), randomBytes(32)]
    const at = { nowMs: 1_000 }
    const pair = { certificate: 'c', privateKey: 'k' }
    const before = createSealer({ current: previous })
    const old = createSqlKeyRepositories({ db, master: before, sealers: createDataKeys({ db, master: before, clock: systemClock }) })
    await old.trust.put('s', 'active', pair, at)
    await old.authorities.add('eu', { generation: 1, keys: { root: pair, issuing: pair } }, at)

    const changing = createSealer({ current, previous: [previous] })
    const dataKeys = createDataKeys({ db, master: changing, clock: systemClock })
    await reseal(db, { tables: [...dataKeyTables, ...destinationStoredTables], master: changing, dataKeys, renewDataKeys: true })
    const after = createSealer({ current })
    const fresh = createSqlKeyRepositories({ db, master: after, sealers: createDataKeys({ db, master: after, clock: systemClock }) })
    // The subaccount's first key is still there, sealed with the new master key; nothing is sealed with it.
    expect(await fresh.trust.find('s')).toEqual({ active: pair })
    expect(await fresh.authorities.latest('eu')).toEqual({ generation: 1, keys: { root: pair, issuing: pair } })
  })
})
