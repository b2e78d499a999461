import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { skipUnless, startPostgres } from '@sallyport/real-backends'
import { runCrashRounds } from './crash-rounds.ts'

/** `pnpm crash [--store sqlite|postgresql] [--rounds 100]`: prints the figures of each store as JSON; fails at the first thing that is lost or half done. */
const usage = `pnpm crash [options]

  --store KIND   sqlite or postgresql; both unless told
  --rounds N     how often a process is killed, for each store (100)
`
const values = readValues()
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const rounds = Number(values.rounds)
const folder = mkdtempSync(join(tmpdir(), 'sallyport-crash-'))
const onRound = (round: number): void => void (round % 10 === 0 && process.stderr.write(`round ${round} of ${rounds}\n`))
try {
  for (const kind of values.store ?? ['sqlite', 'postgresql']) {
    const started = performance.now()
    const figures = kind === 'sqlite' ? await onSqlite() : await onPostgres()
    process.stdout.write(`${JSON.stringify({ store: kind, ...figures, seconds: Math.round((performance.now() - started) / 1_000) })}\n`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function readValues() {
  try {
    const options = {
      store: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '100' },
      help: { type: 'boolean', short: 'h', default: false },
    } as const
    return parseArgs({ options }).values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

function onSqlite(): ReturnType<typeof runCrashRounds> {
  return runCrashRounds({ store: { kind: 'sqlite', file: join(folder, 'destinations.db') }, rounds, random: Math.random, onRound })
}

async function onPostgres(): ReturnType<typeof runCrashRounds> {
  if (skipUnless('postgres', 'initdb', 'psql')) throw new Error('PostgreSQL is not installed')
  await using postgres = await startPostgres()
  const store = { kind: 'postgresql', url: await postgres.createDatabase(), password: postgres.password } as const
  const crashServer = async (): Promise<void> => {
    await postgres.crash()
    await postgres.start()
  }
  try {
    return await runCrashRounds({ store, rounds, random: Math.random, onRound, crashServer })
  } catch (error) {
    process.stderr.write(`the server has logged:\n${postgres.log().slice(-2_000)}\n`)
    throw error
  }
}
