import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readState, stateAfter } from './crash-operations.ts'
import { type CrashStore, openCrashStore } from './crash-store.ts'

/** What the rounds have shown. */
export interface CrashFigures {
  readonly rounds: number
  readonly serverCrashes: number
  /** Transactions that had been acknowledged, all of them found again. */
  readonly acknowledged: number
  /** Transactions that were under way at the kill: found as a whole, or not at all. */
  readonly wholly: number
  readonly notAtAll: number
}

const chainsPerRound = 4
const maxDelayMs = 120

/**
 * Kills a writing process with SIGKILL at a random moment, over and over, and looks after each kill whether every acknowledged transaction is there, and of
 * the ones under way all or nothing. At the end everything of all rounds is looked at again. With `crashServer` that is called instead in every fifth round,
 * while the process writes.
 *
 * @throws Error that says what is missing, or half there.
 */
export async function runCrashRounds(options: {
  readonly store: CrashStore
  readonly rounds: number
  readonly random: () => number
  readonly crashServer?: () => Promise<void>
  readonly onRound?: (round: number) => void
}): Promise<CrashFigures> {
  const { store, rounds, random, crashServer, onRound } = options
  const settled = new Map<string, number>()
  const figures = { rounds, serverCrashes: 0, acknowledged: 0, wholly: 0, notAtAll: 0 }
  for (let round = 1; round <= rounds; round += 1) {
    const subaccounts = Array.from({ length: chainsPerRound }, (_, chain) => `round-${round}-${chain}`)
    const writer = startWriter(store, subaccounts)
    await writer.acknowledged(1 + Math.floor(random() * 40))
    await new Promise((resolve) => setTimeout(resolve, random() * maxDelayMs))
    if (crashServer !== undefined && round % 5 === 0) {
      await crashServer()
      figures.serverCrashes += 1
    }
    const acknowledged = await writer.kill()
    const { db, repository } = await openCrashStore(store)
    try {
      for (const subaccountId of subaccounts) {
        const steps = acknowledged.get(subaccountId) ?? 0
        const state = await readState(repository, { subaccountId, instanceId: null })
        const more = [0, 1].find((extra) => isDeepStrictEqual(state, stateAfter(steps + extra)))
        if (more === undefined)
          throw new Error(`round ${round}: after ${steps} acknowledged steps ${subaccountId} holds ${JSON.stringify([...state])}`)
        figures.acknowledged += steps
        figures[more === 1 ? 'wholly' : 'notAtAll'] += 1
        settled.set(subaccountId, steps + more)
      }
    } finally {
      await db.destroy()
    }
    onRound?.(round)
  }
  const { db, repository } = await openCrashStore(store)
  try {
    for (const [subaccountId, steps] of settled) {
      const state = await readState(repository, { subaccountId, instanceId: null })
      if (!isDeepStrictEqual(state, stateAfter(steps))) throw new Error(`at the end something of ${subaccountId} is missing`)
    }
  } finally {
    await db.destroy()
  }
  return figures
}

interface Writer {
  /** Settles when so many steps have been acknowledged. */
  acknowledged(steps: number): Promise<void>
  /** Kills it, unless it has ended by itself, and returns the last acknowledged step of each subaccount. */
  kill(): Promise<ReadonlyMap<string, number>>
}

function startWriter(store: CrashStore, subaccounts: readonly string[]): Writer {
  const script = join(import.meta.dirname, 'write-until-killed.ts')
  const writer = spawn(process.execPath, ['--conditions=@sallyport/source', '--disable-warning=ExperimentalWarning', script], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let [said, complaints] = ['', '']
  let heard = (): void => {}
  const ended = once(writer, 'close')
  // Only whole lines count: the kill may cut the last one short.
  const lines = (): readonly string[] => said.split('\n').slice(0, -1)
  writer.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk))
  writer.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
    heard()
  })
  writer.stdin.end(JSON.stringify({ store, subaccounts }))
  return {
    async acknowledged(steps) {
      const enough = new Promise<void>((resolve) => {
        heard = () => (lines().length >= steps ? resolve() : undefined)
        heard()
      })
      await Promise.race([enough, ended.then(() => Promise.reject(new Error(`the writer ended by itself: ${complaints}`)))])
    },
    async kill() {
      writer.kill('SIGKILL')
      await ended
      const last = new Map<string, number>()
      for (const line of lines()) {
        const [subaccountId = '', step] = line.split(' ')
        last.set(subaccountId, Number(step))
      }
      return last
    },
  }
}
