import { readFile, readdir, stat, statfs } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import { join } from 'node:path'
import { getHeapStatistics } from 'node:v8'
import { maxProbedFiles } from '../limits.ts'

/** One quantity, and whose it is. */
export interface Share {
  readonly total: number
  readonly own: number
  readonly others: number
  readonly free: number
}

/** Memory of the machine and of this process, in kB. */
export interface MemoryStatus {
  readonly physicalKb: Share
  readonly virtualKb: Share
  readonly heapKb: { readonly total: number; readonly used: number; readonly free: number }
}

/** Load in percent of all processors, since the last time it was asked for. */
export interface CpuStatus {
  readonly total: number
  readonly own: number
}

/** What the machine has, as this process sees it. */
export interface MachineProbe {
  memory(): Promise<MemoryStatus>
  /** Of the file system that holds the folder of the connector, in MB. @throws the error of the file system. */
  disk(): Promise<Share>
  cpu(): CpuStatus
}

/** Asks the operating system. `folder` is where the connector keeps what it writes. */
export function createMachineProbe(options: { readonly folder: string }): MachineProbe {
  let machineBefore = processorTimes()
  let ownBefore = ownTimes()
  let last: CpuStatus = { total: 0, own: 0 }
  return {
    async memory() {
      const total = toKb(totalmem())
      const { rss } = process.memoryUsage()
      const meminfo = await readMeminfo()
      const swapKb = meminfo?.get('SwapTotal') ?? 0
      const swapFreeKb = meminfo?.get('SwapFree') ?? 0
      const freeKb = meminfo?.get('MemAvailable') ?? toKb(freemem())
      const heap = getHeapStatistics()
      const heapTotal = toKb(heap.heap_size_limit)
      const heapUsed = toKb(heap.used_heap_size)
      return {
        physicalKb: shareOf(total, toKb(rss), freeKb),
        virtualKb: shareOf(total + swapKb, toKb(rss), freeKb + swapFreeKb),
        heapKb: { total: heapTotal, used: heapUsed, free: Math.max(0, heapTotal - heapUsed) },
      }
    },
    async disk() {
      const { bavail, blocks, bsize } = await statfs(options.folder)
      const megabyte = 1024 * 1024
      const total = Math.round((blocks * bsize) / megabyte)
      return shareOf(total, Math.round((await bytesBelow(options.folder)) / megabyte), Math.floor((bavail * bsize) / megabyte))
    },
    cpu() {
      const machine = processorTimes()
      const own = ownTimes()
      const passed = machine.all - machineBefore.all
      // Two questions within one tick of the processors' clocks have the same answer.
      if (passed <= 0) return last
      const percent = (part: number): number => Math.min(100, Math.max(0, Math.round((part / passed) * 1000) / 10))
      last = { total: percent(passed - (machine.idle - machineBefore.idle)), own: percent(own - ownBefore) }
      machineBefore = machine
      ownBefore = own
      return last
    },
  }
}

/** In milliseconds, over all processors. */
function processorTimes(): { readonly all: number; readonly idle: number } {
  let all = 0
  let idle = 0
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.idle + times.irq
    idle += times.idle
  }
  return { all, idle }
}

function ownTimes(): number {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

function shareOf(total: number, own: number, free: number): Share {
  return { total, own, free, others: Math.max(0, total - own - free) }
}

function toKb(bytes: number): number {
  return Math.round(bytes / 1024)
}

/** Only Linux tells what could be had without swapping; elsewhere what is free has to do. */
async function readMeminfo(): Promise<ReadonlyMap<string, number> | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    const lines = (await readFile('/proc/meminfo', 'utf8')).split('\n')
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), Number.parseInt(line.slice(line.indexOf(':') + 1), 10)]))
  } catch {
    // A container without /proc: the total of the machine is still known.
    return undefined
  }
}

/** What the files below a folder hold. Stops counting at a bound: the number is for a pie, the free space is what alerts go by. */
async function bytesBelow(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  let bytes = 0
  for (const file of files.slice(0, maxProbedFiles)) {
    if (!file.isFile()) continue
    // Gone since it was listed.
    bytes += await stat(join(file.parentPath, file.name)).then(
      ({ size }) => size,
      () => 0,
    )
  }
  return bytes
}
