import { alteredLogs, unauditedChanges, unauditedRequests } from './audit.ts'
import type { Seen } from './application.ts'
import { type Fault, sceneOf, type Victim } from './fault.ts'
import { type Connector, type Installation, roleOf } from './installation.ts'
import type { Ledger } from './ledger.ts'
import { endOf, nextSuccessMs, type Probe, startProbes } from './probes.ts'
import { pause, until } from './wait.ts'

/** What one fault did to one victim. */
export interface Observation {
  readonly fault: string
  readonly victim: Victim
  /** Names of the connectors that were the master before, and are it afterwards. */
  readonly masters: readonly [before: string, after: string]
  /** A request that began during the fault succeeded while the fault still lasted. */
  readonly servedMeanwhile: boolean
  /** What the request saw that the back end was holding when the fault began. */
  readonly inFlight: Seen
  /** From the beginning of the fault to the end of the first request that began after it and succeeded. */
  readonly nextSuccessMs: number
  /** Requests that failed, of all that were sent until everything was as before. */
  readonly failed: number
  readonly sent: number
  /** From the beginning of the fault to the end of the last request that failed; 0 when none has. */
  readonly disturbedMs: number
  /** Changes of the configuration that were acknowledged meanwhile, and what the others were told. */
  readonly acknowledged: number
  readonly refusals: readonly string[]
  /** What was lost or is not as it was, for people. Empty as it should be. */
  readonly lost: readonly string[]
}

const heldMs = 3_000
const heldTimeoutMs = 60_000
const servedPatienceMs = 90_000
const writeIntervalMs = 300
/** A killed process takes along what it has gathered for its audit log in the last milliseconds (ADR 11). */
const gatheredMs = 30

/** Puts the fault on the victim while requests and changes of the configuration go on, takes it away, and compares what is there with what was acknowledged. */
export async function observe(installation: Installation, ledger: Ledger, fault: Fault, victim: Victim): Promise<Observation> {
  const { application, connectors } = installation
  await installation.steady(servedPatienceMs)
  const before = ledger.acknowledged.length
  const { master } = await installation.roles()
  await ledger.write(master)
  const scene = await sceneOf(installation, victim)
  const probes = startProbes(application)
  const writers = connectors.map((connector) => startWriter(connector, ledger))
  const held = await installation.heldSoFar()
  const holding = application.get(`/held?ms=${heldMs}`, heldTimeoutMs)
  await until('the back end holds a request', async () => (await installation.heldSoFar()) > held, 10_000)

  const mend = await fault.inflict(scene)
  const beganMs = performance.now()
  const { forMs, untilServedMs = 0 } = fault.lasts(victim)
  await pause(forMs)
  const isServed = async (): Promise<boolean> => nextSuccessMs(probes.ended, beganMs) !== undefined
  await until('a request succeeds', isServed, untilServedMs).catch(() => {
    // Then it has to succeed without the fault.
  })
  const servedMeanwhile = await isServed()
  await mend()
  const mendedMs = performance.now()
  await until('a request succeeds', async () => nextSuccessMs(probes.ended, mendedMs) !== undefined, servedPatienceMs)
  const refusals = (await Promise.all(writers.map((writer) => writer.stop()))).flat()
  await installation.steady(servedPatienceMs)
  const inFlight = await holding
  const sent = await probes.stop()
  const masters = [master.machine.name, (await installation.roles()).master.machine.name] as const
  const failures = sent.filter(({ outcome }) => outcome !== 200)
  return {
    fault: fault.name,
    victim,
    masters,
    servedMeanwhile,
    inFlight,
    nextSuccessMs: nextSuccessMs(sent, beganMs) ?? Number.NaN,
    failed: failures.length,
    sent: sent.length,
    disturbedMs: Math.max(0, ...failures.map((probe) => endOf(probe) - beganMs)),
    acknowledged: ledger.acknowledged.length - before,
    refusals: [...new Set(refusals)],
    lost: [
      ...(await ledger.problems()),
      ...(await alteredLogs(installation)),
      ...unauditedChanges(ledger.acknowledged.slice(before)),
      ...unauditedRequests(installation, mustBeAudited(sent, fault.kills === true ? beganMs : undefined)).map(
        (path) => `nobody has audited ${path}`,
      ),
    ],
  }
}

function mustBeAudited(probes: readonly Probe[], killedMs: number | undefined): readonly string[] {
  const succeeded = probes.filter(({ outcome }) => outcome === 200)
  const withheld = (probe: Probe): boolean => killedMs !== undefined && endOf(probe) <= killedMs && endOf(probe) > killedMs - gatheredMs
  return succeeded.filter((probe) => !withheld(probe)).map(({ path }) => path)
}

/** An administrator who changes the configuration of a connector all the time, as long as that says it is the master. */
function startWriter(connector: Connector, ledger: Ledger): { stop(): Promise<readonly string[]> } {
  const refusals: string[] = []
  const ending = new AbortController()
  const working = (async () => {
    while (!ending.signal.aborted) {
      const role = await roleOf(connector).catch(() => 'silent')
      if (role === 'master') {
        const answer = await ledger.write(connector)
        if (typeof answer === 'string') refusals.push(answer)
      }
      await pause(writeIntervalMs)
    }
  })()
  return {
    async stop() {
      ending.abort()
      await working
      return refusals
    },
  }
}
