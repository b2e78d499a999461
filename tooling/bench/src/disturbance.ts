import { readFileSync } from 'node:fs'
import { pause } from './processes.ts'
import { cpuMicroseconds, processTree } from './process-tree.ts'

/** Share of all CPUs, in per cent, that others may use during a measurement before it is repeated. */
export const toleratedDisturbancePercent = 8

/** Share below which the machine counts as quiet enough to begin. */
const quietPercent = 6

/** How the CPUs were used since a moment ago. */
export interface Disturbance {
  /** Per cent of all CPUs used by anything but this benchmark, stolen time included. */
  readonly otherPercent: number
  readonly idlePercent: number
}

/** Begins to watch; the returned function tells what has happened since. */
export function watchDisturbance(): () => Disturbance {
  const before = snapshot()
  return () => {
    const after = snapshot()
    const all = after.all - before.all || 1
    const other = after.busy - before.busy - (after.ours - before.ours)
    return { otherPercent: Math.round((100 * Math.max(0, other)) / all), idlePercent: Math.round((100 * (after.idle - before.idle)) / all) }
  }
}

/** Waits, at most for `maxMs`, until others leave the machine alone. */
export async function untilQuiet(maxMs: number): Promise<void> {
  for (const deadline = Date.now() + maxMs; Date.now() < deadline;) {
    const look = watchDisturbance()
    await pause(300)
    if (look().otherPercent <= quietPercent) return
  }
}

/** Ticks of all CPUs and of this process with everything it has started, ended children included. */
function snapshot(): { all: number; idle: number; busy: number; ours: number } {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0] = line.split(/\s+/).slice(1).map(Number)
  return {
    all: user + nice + system + idle + wait + irq + softIrq + steal,
    idle: idle + wait,
    // Interrupts are nobody's in the accounts of processes, and most of them are ours here: the network of the load.
    busy: user + nice + system + steal,
    ours: cpuMicroseconds(processTree(process.pid), { reaped: true }) / 10_000,
  }
}
