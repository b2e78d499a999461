import type { Fault } from './fault.ts'
import type { Observation } from './observation.ts'
import type { TornWrites } from './torn-writes.ts'

/** Everything that a run has seen. */
export interface Report {
  readonly observations: readonly Observation[]
  readonly tornWrites: readonly TornWrites[]
}

/** Everything that was lost, for people. */
export function lossesOf({ observations, tornWrites }: Report): readonly string[] {
  return [
    ...observations.flatMap(({ fault, lost, victim }) => lost.map((what) => `${fault}, ${victim}: ${what}`)),
    ...tornWrites.flatMap(({ lost, victim }) => lost.map((what) => `killed in the middle of changes, ${victim}: ${what}`)),
  ]
}

/** The tables of `docs/reliability.md`. */
export function formatReport(report: Report, faults: readonly Fault[]): string {
  const titles = new Map(faults.map(({ name, title }) => [name, title]))
  const { observations, tornWrites } = report
  return [
    ...(observations.length === 0
      ? []
      : [
          '| fault | of | request in flight | next request succeeds after | failed of sent | last failure after | changes acknowledged | lost, of both connectors |',
          '|---|---|---|---|---|---|---|---|',
          ...observations.map((seen) => row([titles.get(seen.fault) ?? seen.fault, seen.victim, ...formatSeen(seen)])),
        ]),
    ...(tornWrites.length === 0
      ? []
      : [
          '',
          '| killed in the middle of changes | rounds | acknowledged, all found | without answer, whole or not there | next change acknowledged after, at worst | lost |',
          '|---|---|---|---|---|---|',
          ...tornWrites.map(({ acknowledged, lost, nextChangeMs, rounds, unanswered, victim }) =>
            row([victim, String(rounds), String(acknowledged), String(unanswered), seconds(nextChangeMs), String(lost.length)]),
          ),
        ]),
    '',
  ].join('\n')
}

function formatSeen({ acknowledged, disturbedMs, failed, inFlight, lost, nextSuccessMs, sent }: Observation): readonly string[] {
  return [
    `${inFlight.outcome} after ${seconds(inFlight.afterMs)}`,
    seconds(nextSuccessMs),
    `${failed} of ${sent}`,
    failed === 0 ? '–' : seconds(disturbedMs),
    String(acknowledged),
    String(lost.length),
  ]
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : 'never'
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
