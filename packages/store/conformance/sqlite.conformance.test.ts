import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../src/index.ts'
import { backupCases } from './backup-cases.ts'
import { customerKeyCases } from './customer-key-cases.ts'
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
const needsProcesses = ['two replicas that start together migrate once', 'two who change the key at the same moment leave one that works']

function open<Schema>(name = 'a.db'): Kysely<Schema> {
  const db = openDatabase<Schema>(join(folder, name))
  opened.push(db)
  return db
}

describe('a database in SQLite', () => {
  it.each(Object.entries(databaseCases).filter(([name]) => !needsProcesses.includes(name)))('%s', async (_name, run) => {
    await expect(run({ open: () => open() })).resolves.toBeUndefined()
  })
})

describe('keys of subaccounts in SQLite', () => {
  it.each(Object.entries(dataKeyCases))('%s', async (_name, run) => {
    await expect(run({ open: () => open() })).resolves.toBeUndefined()
  })
})

describe('a backup from SQLite into SQLite', () => {
  it.each(Object.entries(backupCases))('%s', async (_name, run) => {
    mkdirSync(join(folder, 'backup'))
    const create = (which: number): Promise<Kysely<never>> => Promise.resolve(open(`${which}.db`))
    await expect(run({ create, file: join(folder, 'backup', 'a.backup') })).resolves.toBeUndefined()
  })
})

describe('keys of customers in SQLite', () => {
  it.each(Object.entries(customerKeyCases).filter(([name]) => !needsProcesses.includes(name)))('%s', async (_name, run) => {
    await expect(run({ open: () => open(), other: () => open('b.db'), file: join(folder, 'a.backup') })).resolves.toBeUndefined()
  })
})
