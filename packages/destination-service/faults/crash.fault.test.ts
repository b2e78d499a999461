import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipUnless, startPostgres } from '@sallyport/real-backends'
import { describe, expect, it } from 'vitest'
import { runCrashRounds } from './crash-rounds.ts'

/** A few; `pnpm crash` runs a hundred on each store. Every fifth is a crash of the server. */
const rounds = 5

describe('a kill at a random moment under write load', () => {
  it('loses nothing that was acknowledged and leaves nothing half done, in SQLite', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-crash-'))
    try {
      const store = { kind: 'sqlite', file: join(folder, 'destinations.db') } as const
      const figures = await runCrashRounds({ store, rounds: 3, random: Math.random })
      expect(figures.acknowledged).toBeGreaterThanOrEqual(3)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }, 60_000)

  it.skipIf(skipUnless('postgres', 'initdb', 'psql'))(
    'nor in PostgreSQL, also when the server is killed',
    async () => {
      await using postgres = await startPostgres()
      const store = { kind: 'postgresql', url: await postgres.createDatabase(), password: postgres.password } as const
      const crashServer = async (): Promise<void> => {
        await postgres.crash()
        await postgres.start()
      }
      const figures = await runCrashRounds({ store, rounds, random: Math.random, crashServer })
      expect(figures).toMatchObject({ serverCrashes: 1 })
      expect(figures.acknowledged).toBeGreaterThanOrEqual(rounds)
    },
    60_000,
  )

  it('would be noticed: the rounds fail when something that was acknowledged is gone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-crash-'))
    try {
      const kept = { kind: 'sqlite', file: join(folder, 'destinations.db') } as const
      const crashServer = async (): Promise<void> => {
        for (const suffix of ['', '-wal', '-shm']) rmSync(`${kept.file}${suffix}`, { force: true })
      }
      await expect(runCrashRounds({ store: kept, rounds: 5, random: Math.random, crashServer })).rejects.toThrow(/acknowledged steps/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }, 60_000)
})
