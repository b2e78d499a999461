import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../src/index.ts'
import { dataKeyCases } from './data-key-cases.ts'
import { databaseCases } from './database-cases.ts'

let folder: string
const opened: { destroy(): Promise<void> }[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'))
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.destroy()))
  rmSync(folder, { recursive: true, force: true })
})

/** Replicas are processes; `faults/kill.fault.test.ts` starts two of them on one file. */
const needsProcesses = 'two replicas that start together migrate once'

function open<Schema>(): Kysely<Schema> {
  const db = openDatabase<Schema>(join(folder, 'a.db'))
  opened.push(db)
  return db
}

describe('a database in SQLite', () => {
  it.each(Object.entries(databaseCases).filter(([name]) => name !== needsProcesses))('%s', async (_name, run) => {
    await expect(run({ open })).resolves.toBeUndefined()
  })
})

describe('keys of subaccounts in SQLite', () => {
  it.each(Object.entries(dataKeyCases))('%s', async (_name, run) => {
    await expect(run({ open })).resolves.toBeUndefined()
  })
})
