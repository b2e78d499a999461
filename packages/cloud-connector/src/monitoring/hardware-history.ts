import { diskSampleMs, hardwareHistoryMs, hardwareSampleMs } from '../limits.ts'

/** One look at processors and memory. */
interface HardwareSample {
  /** Percent. */
  readonly cpu: number
  readonly cpuOwn: number
  readonly physicalUsedKb: number
  readonly heapUsedKb: number
}

/** A graph: one value for each step of time from `fromMs` on; `null` where nobody looked, because the connector did not run. */
export interface Series {
  readonly fromMs: number
  readonly stepMs: number
  readonly values: readonly (number | null)[]
}

/** The graphs of the hardware monitor, all of the same 24 hours. Plain data. */
export interface HardwareStatus {
  readonly cpu: Series
  readonly cpuOwn: Series
  readonly physicalUsedKb: Series
  readonly heapUsedKb: Series
  readonly diskUsedMb: Series
}

/** What is kept between two starts, as rows of numbers: the step since 1970, then the values in the order of {@link HardwareSample}. */
export interface KeptHardware {
  readonly samples: readonly (readonly number[])[]
  readonly disk: readonly (readonly [slot: number, usedMb: number])[]
}

/** A day of looks at the machine. */
export interface HardwareHistory {
  add(nowMs: number, sample: HardwareSample): void
  addDisk(nowMs: number, usedMb: number): void
  status(nowMs: number): HardwareStatus
  /** The load since a moment, in order of time. */
  loadSince(fromMs: number): readonly { readonly atMs: number; readonly total: number; readonly own: number }[]
  readonly kept: KeptHardware
}

/** Goes on from what was kept. */
export function createHardwareHistory(before: KeptHardware = { samples: [], disk: [] }): HardwareHistory {
  const samples = new Map<number, HardwareSample>(
    before.samples.map(([slot = 0, cpu = 0, cpuOwn = 0, physicalUsedKb = 0, heapUsedKb = 0]) => [
      slot,
      { cpu, cpuOwn, physicalUsedKb, heapUsedKb },
    ]),
  )
  const disk = new Map<number, number>(before.disk)
  const put = <T>(map: Map<number, T>, nowMs: number, stepMs: number, value: T): void => {
    const slot = Math.floor(nowMs / stepMs)
    const first = slot - hardwareHistoryMs / stepMs
    // What is there stands in order of time, unless a clock was set: a day later that is gone too.
    for (const known of map.keys()) {
      if (known > first && known <= slot) break
      map.delete(known)
    }
    map.set(slot, value)
  }
  const series = <T>(map: ReadonlyMap<number, T>, nowMs: number, stepMs: number, pick: (value: T) => number): Series => {
    const last = Math.floor(nowMs / stepMs)
    const count = hardwareHistoryMs / stepMs
    const first = last - count + 1
    const values = Array.from({ length: count }, (_, at) => {
      const value = map.get(first + at)
      return value === undefined ? null : pick(value)
    })
    return { fromMs: first * stepMs, stepMs, values }
  }
  return {
    add: (nowMs, sample) => put(samples, nowMs, hardwareSampleMs, sample),
    addDisk: (nowMs, usedMb) => put(disk, nowMs, diskSampleMs, usedMb),
    status: (nowMs) => ({
      cpu: series(samples, nowMs, hardwareSampleMs, ({ cpu }) => cpu),
      cpuOwn: series(samples, nowMs, hardwareSampleMs, ({ cpuOwn }) => cpuOwn),
      physicalUsedKb: series(samples, nowMs, hardwareSampleMs, ({ physicalUsedKb }) => physicalUsedKb),
      heapUsedKb: series(samples, nowMs, hardwareSampleMs, ({ heapUsedKb }) => heapUsedKb),
      diskUsedMb: series(disk, nowMs, diskSampleMs, (usedMb) => usedMb),
    }),
    loadSince: (fromMs) =>
      [...samples]
        .map(([slot, { cpu, cpuOwn }]) => ({ atMs: slot * hardwareSampleMs, total: cpu, own: cpuOwn }))
        .filter(({ atMs }) => atMs >= fromMs)
        .toSorted((a, b) => a.atMs - b.atMs),
    get kept() {
      return {
        samples: [...samples].map(([slot, { cpu, cpuOwn, heapUsedKb, physicalUsedKb }]) => [slot, cpu, cpuOwn, physicalUsedKb, heapUsedKb]),
        disk: [...disk],
      }
    },
  }
}
