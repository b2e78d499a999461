import type { CpuStatus } from '../monitoring/machine-probe.ts'
import type { AlertCondition } from './alert.ts'

/** One look at the load, for the time until it. */
export interface LoadSample extends CpuStatus {
  readonly atMs: number
}

/**
 * Whether the load has been above the threshold for longer than is tolerated, without a break: a look that is missing is a break. `samples` are in order of time;
 * each speaks for `stepMs` before it.
 */
export function cpuConditions(
  samples: readonly LoadSample[],
  options: { readonly thresholdPercent: number; readonly toleranceSeconds: number; readonly stepMs: number },
): readonly AlertCondition[] {
  const { stepMs, thresholdPercent, toleranceSeconds } = options
  const latest = samples.at(-1)
  if (latest === undefined) return []
  let sinceMs = latest.atMs
  for (let at = samples.length - 1; at >= 0; at--) {
    const { atMs, total } = samples[at] as LoadSample
    if (total <= thresholdPercent || sinceMs - atMs > stepMs / 2) break
    sinceMs = atMs - stepMs
  }
  if (latest.atMs - sinceMs <= toleranceSeconds * 1000) return []
  const usage = `Current usage all processes: ${latest.total}%, Cloud Connector: ${latest.own}%`
  return [
    {
      key: 'cpu load',
      category: 'CPU',
      type: 'CPU',
      message: `CPU load exceeded ${thresholdPercent} percent for more than ${toleranceSeconds} seconds (${usage}), check the hardware monitor for details`,
      recovery: `CPU load is not above ${thresholdPercent} percent any more`,
      entity: '',
    },
  ]
}
