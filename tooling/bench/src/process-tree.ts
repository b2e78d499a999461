import { readFileSync } from 'node:fs'

/** Microseconds per tick of the CPU accounts in `/proc`, 100 per second on every Linux that we run on. */
const microsecondsPerTick = 10_000

/** The process and all its descendants; empty when it is gone. */
export function processTree(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(processTree)]
  } catch {
    return []
  }
}

/** CPU time of the processes so far, in user and system mode; with `reaped`, that of their ended children too. */
export function cpuMicroseconds(pids: readonly number[], options: { readonly reaped: boolean } = { reaped: false }): number {
  let ticks = 0
  for (const pid of pids) {
    const [user = 0, system = 0, reapedUser = 0, reapedSystem = 0] = statFields(pid)
    ticks += user + system + (options.reaped ? reapedUser + reapedSystem : 0)
  }
  return ticks * microsecondsPerTick
}

/** Resident memory of the processes. */
export function residentKilobytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + residentOf(pid), 0)
}

/** User, system, and both of reaped children, in ticks. The program's name in front of them may hold blanks and brackets. */
function statFields(pid: number): number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number)
  } catch {
    return []
  }
}

function residentOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
