import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../src/index.ts'
import type { LedgerSchema } from './ledger.ts'

const killRounds = 10
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-kill-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Writer {
  /** Settles when the writer has acknowledged that many rounds. */
  acknowledged(rounds: number): Promise<void>
  /** Kills it, in the middle of whatever it does, and returns the rounds it had acknowledged. */
  kill(): Promise<number[]>
}

function startWriter(file: string, firstRound: number): Writer {
  const script = join(import.meta.dirname, 'write-until-killed.ts')
  const writer = spawn(process.execPath, ['--conditions=@sallyport/source', script, file, String(firstRound)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let complaints = ''
  let heard: () => void = () => {}
  // Only whole lines count: the kill may cut the last one short.
  const rounds = (): number[] => said.split('\n').slice(0, -1).map(Number)
  const closed = new Promise<string | null>((resolve) => writer.once('close', (_code, signal) => resolve(signal)))
  writer.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    heard()
  })
  return {
    async acknowledged(count) {
      const enough = new Promise<void>((resolve) => {
        heard = () => (rounds().length >= count ? resolve() : undefined)
        heard()
      })
      await Promise.race([enough, closed.then(() => Promise.reject(new Error(`the writer ended by itself: ${complaints}`)))])
    },
    async kill() {
      writer.kill('SIGKILL')
      expect({ signal: await closed, complaints }).toMatchObject({ signal: 'SIGKILL' })
      return rounds()
    },
  }
}

/** Checks that every line has its counterpart and the balances agree with the lines; returns the rounds that are in the file. */
async function consistentRounds(file: string): Promise<number[]> {
  const db = openDatabase<LedgerSchema>(file)
  try {
    const { rows: check } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db)
    expect(check).toEqual([{ integrity_check: 'ok' }])
    const lines = await db.selectFrom('line').selectAll().orderBy('round').orderBy('side').execute()
    const rounds = lines.filter((line) => line.side === 'from').map((line) => line.round)
    expect(lines).toEqual(rounds.flatMap((round) => ['from', 'to'].map((side) => ({ round, side }))))
    expect(await db.selectFrom('account').selectAll().orderBy('id').execute()).toEqual([
      { id: 'from', balance: 0 - rounds.length },
      { id: 'to', balance: rounds.length },
    ])
    return rounds
  } finally {
    await db.destroy()
  }
}

it(`loses no acknowledged write and keeps no half of one when the process is killed under load, ${killRounds} times over`, async () => {
  const file = join(folder, 'ledger.db')
  const allAcknowledged: number[] = []
  for (let kill = 0; kill < killRounds; kill += 1) {
    const writer = startWriter(file, kill * 1_000_000)
    await writer.acknowledged(1 + Math.floor(Math.random() * 200))
    allAcknowledged.push(...(await writer.kill()))
    expect(await consistentRounds(file)).toEqual(expect.arrayContaining(allAcknowledged))
  }
})

it('lets two processes create, migrate and write the same file at once', async () => {
  const file = join(folder, 'shared.db')
  const writers = [startWriter(file, 0), startWriter(file, 1_000_000)]
  await Promise.all(writers.map((writer) => writer.acknowledged(50)))
  const acknowledged = await Promise.all(writers.map((writer) => writer.kill()))
  expect(await consistentRounds(file)).toEqual(expect.arrayContaining(acknowledged.flat()))
})
