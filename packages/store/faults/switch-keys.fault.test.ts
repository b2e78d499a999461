import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@sallyport/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createCustomerKeys, createDataKeys, createSealer, dataKeyTables } from '../src/index.ts'
import { openVault, treasureTable, vaultMaster, vaultSystem } from './vault.ts'

const killRounds = 6
const treasures = 20
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-switch-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Starts a process that changes keys, and kills it after so many changes and a moment more. */
async function switchUntilKilled(file: string, changes: number): Promise<void> {
  const script = join(import.meta.dirname, 'switch-keys-until-killed.ts')
  const child: ChildProcess = spawn(process.execPath, ['--conditions=@sallyport/source', script, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  let said = 0
  await Promise.race([
    new Promise<void>((resolve) => {
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        said += text.split('\n').length - 1
        if (said >= changes) resolve()
      })
    }),
    once(child, 'close').then(() => Promise.reject(new Error(`it ended by itself: ${complaints}`))),
  ])
  const closed = once(child, 'close')
  // Somewhere within the next change, which takes some milliseconds.
  setTimeout(() => child.kill('SIGKILL'), Math.random() * 12)
  await closed
}

it(`nothing is lost when a change of keys is killed, ${killRounds} times over: rows belong together, every value opens, and the next change goes through`, async () => {
  const file = join(folder, 'vault.db')
  const names = Array.from({ length: treasures }, (_, at) => `n-${at}`)
  const master = createSealer({ current: vaultMaster })
  const systems = { kms: vaultSystem() }
  const first = await openVault(file)
  const sealer = await createDataKeys({ db: first, master, clock: systemClock }).of('a')
  await first
    .insertInto('treasure')
    .values(names.map((name) => ({ name, content: sealer.seal(`secret ${name}`, name) })))
    .execute()
  await first.destroy()
  const seen = new Set<string>()
  for (let round = 0; round < killRounds; round += 1) {
    await switchUntilKilled(file, round % 4)
    const db = await openVault(file)
    const dataKeys = createDataKeys({ db, master, systems, clock: systemClock })
    const rows = await db.selectFrom('treasure').selectAll().execute()
    for (const { name, content } of rows) expect((await dataKeys.of('a', content)).open(content, name)).toBe(`secret ${name}`)
    expect(rows).toHaveLength(treasures)
    const customer = await db.selectFrom('sealing_customer_key').selectAll().executeTakeFirst()
    const wraps = new Set((await db.selectFrom('sealing_data_key').selectAll().execute()).map((row) => row.customer_key_id))
    expect([...wraps]).toEqual([customer?.id ?? null])
    seen.add(customer?.key_name ?? 'none')
    await db.destroy()
  }
  const db = await openVault(file)
  const dataKeys = createDataKeys({ db, master, systems, clock: systemClock })
  const tables = [...dataKeyTables, treasureTable]
  const customers = createCustomerKeys({ db, master, systems, dataKeys, tables, clock: systemClock, maxAgeMs: 1 })
  await customers.use('a', { system: 'kms', key: 'last' })
  expect(await customers.states()).toMatchObject([{ key: 'last', state: 'usable' }])
  await db.destroy()
  expect(seen.size).toBeGreaterThan(1)
})
