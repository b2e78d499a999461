import { globSync } from 'node:fs'
import type { Victim } from './src/fault.ts'
import { allFaults, faultNames, tornWritesName } from './src/all-faults.ts'
import { type Installation, startInstallation } from './src/installation.ts'
import { obstacle, prepareIsolation, runIsolated } from './src/isolation.ts'
import { openLedger } from './src/ledger.ts'
import { hosts, layNetwork } from './src/network.ts'
import { observe } from './src/observation.ts'
import { type FaultOptions, readOptions, usageOf } from './src/options.ts'
import { formatReport, lossesOf, type Report } from './src/report.ts'
import { tearWrites } from './src/torn-writes.ts'

// What was started keeps the process alive otherwise; it ends with it.
process.exit(await main())

async function main(): Promise<number> {
  let options: FaultOptions
  try {
    options = readOptions(process.argv.slice(2), faultNames)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usageOf(faultNames)}`)
    return 2
  }
  if (options.help) {
    process.stdout.write(usageOf(faultNames))
    return 0
  }
  if (!options.inside) {
    const reason = obstacle()
    if (reason === undefined) return runIsolated()
    process.stderr.write(`no faults between machines here: ${reason}\n`)
    return 2
  }
  // The first process of its numbering gets signals only if it asks for them.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  prepareIsolation(hosts)
  layNetwork()
  const report = await inflictAll(options)
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : formatReport(report, allFaults))
  const losses = lossesOf(report)
  for (const loss of losses) process.stderr.write(`LOST ${loss}\n`)
  return losses.length === 0 ? 0 : 1
}

async function inflictAll({ of, only, rounds }: FaultOptions): Promise<Report> {
  const isWanted = (name: string): boolean => only.length === 0 || only.includes(name)
  const suffers = (victim: Victim): boolean => of.length === 0 || of.includes(victim)
  // Debian keeps it below the folder of the architecture.
  const [clockLibrary] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  const wanted = allFaults.filter(({ name, needsClock }) => isWanted(name) && (needsClock !== true || clockLibrary !== undefined))
  if (clockLibrary === undefined) tell('no clock is set: libfaketime is not installed (Debian: faketime)')
  tell('starting server, back end and two connectors')
  const installation = await startInstallation(clockLibrary)
  const ledger = await openLedger(installation)
  const observations: Report['observations'][number][] = []
  for (const fault of wanted) {
    for (const victim of fault.victims.filter(suffers)) {
      tell(`${fault.title}: ${victim}`)
      observations.push(await explained(installation, observe(installation, ledger, fault, victim)))
    }
  }
  const tornWrites: Report['tornWrites'][number][] = []
  for (const victim of isWanted(tornWritesName) ? (['master', 'shadow'] as const).filter(suffers) : []) {
    tell(`killed in the middle of changes: ${victim}, ${rounds} rounds`)
    tornWrites.push(await explained(installation, tearWrites(installation, ledger, victim, rounds)))
  }
  return { observations, tornWrites }
}

/** An installation that does not come round is what a run must not hide: what the machines said last goes with the error. */
async function explained<T>({ cloud, connectors }: Installation, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    for (const machine of [cloud, ...connectors.map((connector) => connector.machine)]) {
      const lines = machine
        .complaints()
        .split('\n')
        .filter((line) => !line.includes('"configuration taken over"'))
      tell(`${machine.name} said last:\n${lines.slice(-shownLines).join('\n')}`)
    }
    throw error
  }
}

const shownLines = 20

function tell(what: string): void {
  process.stderr.write(`${what}\n`)
}
