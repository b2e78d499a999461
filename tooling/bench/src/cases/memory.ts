import type { Tunnel } from '../contender.ts'
import type { BenchCase } from '../bench-case.ts'
import { processTree, residentKilobytes } from '../process-tree.ts'
import { pause, type Running, runForAnswer, start } from '../processes.ts'
import type { RoleMemory } from '../roles/role.ts'

const idleStreams = 1000
/** Until the code that opens streams has been compiled and buffers of the process have been made. */
const warmUpStreams = 50
const stalledReaders = 20
/** What a stalled reader still takes. */
const stalledBytesPerSecond = 10_000
/** Until buffers that were on their way have arrived where they stay. */
const settleMs = 1500
const stallMs = 5000

/** Each stream has carried one byte each way and stays open. */
export const idleMemory: BenchCase = {
  name: 'idle',
  title: `memory per idle stream, of ${idleStreams}`,
  unit: 'kB',
  better: 'lower',
  carries: 'tcp',
  speaksSocks: true,
  target: 'echo',
  measuresMemory: true,
  async measure({ loadTool, loadEnv: env }, tunnel) {
    const idle = (streams: number, seconds: number): readonly string[] => ['idle', String(tunnel.front), String(streams), String(seconds)]
    await runForAnswer({ side: 'cloud', command: loadTool, env, args: idle(warmUpStreams, 0) }, 'open', 20_000)
    await pause(settleMs)
    const before = await memoryOf(tunnel)
    const holder = start({ side: 'cloud', command: loadTool, env, args: idle(idleStreams, 60) })
    try {
      const { open } = await holder.answer('open')
      if (open !== idleStreams) throw new Error(`${String(open)} of ${idleStreams} streams could be opened`)
      await pause(settleMs)
      const { used, resident } = growth(before, await memoryOf(tunnel), idleStreams)
      // A process that had room to spare grows in use but not in size, one with much outside its heap in size but not in use.
      return { value: Math.max(used, resident), details: { used, resident } }
    } finally {
      await holder.stop()
    }
  },
}

/** The back end sends without end to readers that have all but stopped: what both ends hold for them. */
export const stalledMemory: BenchCase = {
  name: 'stalled',
  title: 'memory held for a reader that has stopped',
  unit: 'kB',
  better: 'lower',
  carries: 'tcp',
  speaksSocks: true,
  target: 'source',
  measuresMemory: true,
  async measure({ loadTool, loadEnv: env }, tunnel) {
    const slow = (readers: number, seconds: number): readonly string[] =>
      ['slow', tunnel.front, readers, stalledBytesPerSecond, seconds].map(String)
    await runForAnswer({ side: 'cloud', command: loadTool, env, args: slow(1, 1) }, 'open', 20_000)
    await pause(settleMs)
    const before = await memoryOf(tunnel)
    const readers = start({ side: 'cloud', command: loadTool, env, args: slow(stalledReaders, 60) })
    try {
      await readers.answer('open')
      await pause(stallMs)
      const { used, resident } = growth(before, await memoryOf(tunnel), stalledReaders)
      // The size also keeps what passed through before the readers stopped and is free again.
      return { value: used, details: { used, resident } }
    } finally {
      await readers.stop()
    }
  },
}

type EndsMemory = Readonly<Record<'cloud' | 'connector', RoleMemory>>

async function memoryOf(tunnel: Tunnel): Promise<EndsMemory> {
  const [cloud, connector] = await Promise.all([memoryOfEnd(tunnel, 'cloud'), memoryOfEnd(tunnel, 'connector')])
  return { cloud, connector }
}

/** Of our own roles after a full collection; of others what the kernel says that they hold, which is all that can be known. */
async function memoryOfEnd({ ends, reportsMemory }: Tunnel, end: 'cloud' | 'connector'): Promise<RoleMemory> {
  const running: Running | undefined = ends[end]
  if (running === undefined) return { used: 0, resident: 0 }
  if (reportsMemory) return (await running.ask('SIGUSR2', 'memory'))['memory'] as RoleMemory
  const resident = residentKilobytes(processTree(running.pid)) * 1024
  return { used: resident, resident }
}

/** Growth of both ends per stream, in kB. */
function growth(before: EndsMemory, after: EndsMemory, streams: number): RoleMemory {
  const perStream = (kind: keyof RoleMemory): number =>
    (after.cloud[kind] - before.cloud[kind] + after.connector[kind] - before.connector[kind]) / streams / 1024
  return { used: perStream('used'), resident: perStream('resident') }
}
