import type { Sample } from './sample.ts'
import { median } from './statistics.ts'

/** One measurement as it is reported; `error` when it failed. */
export interface BenchRecord {
  readonly case: string
  readonly contender: string
  readonly round: number
  readonly sample: Sample | undefined
  readonly error: string | undefined
  /** Others used more of the machine than is tolerated, each time it was tried. */
  readonly disturbed: boolean
  readonly otherPercent: number
}

/** The rounds of one contender in one case. */
export interface Summary {
  readonly median: number
  readonly lowest: number
  readonly highest: number
  /** Microseconds of CPU per operation, or per megabyte. */
  readonly cloudCpu: number | undefined
  readonly connectorCpu: number | undefined
  readonly details: Readonly<Record<string, number>>
  readonly rounds: number
  /** Rounds that others disturbed; they count only when there are no others. */
  readonly disturbed: number
}

/** `undefined` when no round succeeded. */
export function summarise(records: readonly BenchRecord[]): Summary | undefined {
  const measured = records.filter((record) => record.sample !== undefined)
  const undisturbed = measured.filter((record) => !record.disturbed)
  const samples = (undisturbed.length > 0 ? undisturbed : measured).flatMap((record) => record.sample ?? [])
  const values = samples.map((sample) => sample.value)
  const middle = median(values)
  if (middle === undefined) return undefined
  const cpu = (side: 'cloud' | 'connector'): number | undefined =>
    median(samples.flatMap(({ cpu: spent }) => (spent === undefined || spent.operations === 0 ? [] : spent[side] / spent.operations)))
  const names = new Set(samples.flatMap((sample) => Object.keys(sample.details)))
  return {
    median: middle,
    lowest: Math.min(...values),
    highest: Math.max(...values),
    cloudCpu: cpu('cloud'),
    connectorCpu: cpu('connector'),
    details: Object.fromEntries([...names].map((name) => [name, median(samples.flatMap((sample) => sample.details[name] ?? [])) ?? 0])),
    rounds: measured.length,
    disturbed: measured.length - undisturbed.length,
  }
}
