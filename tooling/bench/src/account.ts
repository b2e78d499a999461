import type { Tunnel } from './contender.ts'
import { cpuMicroseconds, processTree } from './process-tree.ts'
import type { Running } from './processes.ts'

/** CPU that each end of a tunnel spends while some work is done. */
export async function accounted<T>(tunnel: Tunnel, work: () => Promise<T>): Promise<{ result: T; cloud: number; connector: number }> {
  const before = { cloud: spent(tunnel.ends.cloud), connector: spent(tunnel.ends.connector) }
  const result = await work()
  return { result, cloud: spent(tunnel.ends.cloud) - before.cloud, connector: spent(tunnel.ends.connector) - before.connector }
}

function spent(end: Running | undefined): number {
  return end === undefined ? 0 : cpuMicroseconds(processTree(end.pid))
}
