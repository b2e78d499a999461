import { alteredLogs, unauditedChanges } from './audit.ts'
import { type Installation, roleOf } from './installation.ts'
import type { Ledger } from './ledger.ts'
import { pause, until } from './wait.ts'

/** What killing a connector in the middle of changes has done. */
export interface TornWrites {
  readonly victim: 'master' | 'shadow'
  readonly rounds: number
  /** Changes that were acknowledged in all rounds. */
  readonly acknowledged: number
  /** Changes whose answer never came: each is there as a whole, or not at all. */
  readonly unanswered: number
  /** From the kill until a change was acknowledged again, at its worst. */
  readonly nextChangeMs: number
  readonly lost: readonly string[]
}

const patienceMs = 90_000
const longestMs = 1_200
const chains = 3

/**
 * Writes mappings through the master with several chains at once, kills master or shadow at a random moment, starts it again, and compares what is there with what was
 * acknowledged. The shadow is killed while it takes changes over.
 */
export async function tearWrites(
  installation: Installation,
  ledger: Ledger,
  victim: 'master' | 'shadow',
  rounds: number,
): Promise<TornWrites> {
  const before = ledger.acknowledged.length
  const lost = new Set<string>()
  let unanswered = 0
  let nextChangeMs = 0
  for (let round = 0; round < rounds; round += 1) {
    await installation.steady(patienceMs)
    const { master, shadow } = await installation.roles()
    const { machine } = { master, shadow }[victim]
    const ending = new AbortController()
    const writing = Array.from({ length: chains }, async () => {
      while (!ending.signal.aborted) {
        const answer = await ledger.write(master)
        if (answer === 201) continue
        unanswered += 1
        await pause(50)
      }
    })
    await pause(Math.random() * longestMs)
    await machine.kill()
    const killedMs = performance.now()
    ending.abort()
    await Promise.all(writing)
    machine.start()
    await until('a change is acknowledged', () => isChanged(installation, ledger), patienceMs)
    nextChangeMs = Math.max(nextChangeMs, performance.now() - killedMs)
    await installation.steady(patienceMs)
    for (const problem of [...(await ledger.problems()), ...(await alteredLogs(installation))]) lost.add(problem)
  }
  for (const problem of unauditedChanges(ledger.acknowledged.slice(before))) lost.add(problem)
  return { victim, rounds, acknowledged: ledger.acknowledged.length - before, unanswered, nextChangeMs, lost: [...lost] }
}

/** Whoever says that it is the master is asked; the other one may not be there. */
async function isChanged({ connectors }: Installation, ledger: Ledger): Promise<boolean> {
  for (const connector of connectors) {
    const role = await roleOf(connector).catch(() => 'silent')
    if (role === 'master' && (await ledger.write(connector)) === 201) return true
  }
  return false
}
