import { findProgram } from '@sallyport/real-backends'
import { accounted } from '../account.ts'
import type { Bench, BenchCase } from '../bench-case.ts'
import type { Tunnel } from '../contender.ts'
import type { Link } from '../link.ts'
import { run } from '../processes.ts'
import type { Sample } from '../sample.ts'

const longLink: Link = { oneWayMs: 50, kilobytesPerSecond: 25_000, queueMs: 20 }

export const bulkOne: BenchCase = bulkCase('bulk1', 'bulk, 1 stream', ['-R'])
export const bulkSixteen: BenchCase = bulkCase('bulk16', 'bulk, 16 streams', ['-R', '-P', '16'])
export const bulkUp: BenchCase = bulkCase('bulk1-up', 'bulk towards the back end, 1 stream', [])

/** The window has to grow to what the link holds; the first seconds, in which it does, do not count. */
export const bulkLongLink: BenchCase = {
  ...bulkCase('bulk-long', 'bulk, 1 stream, link of 25 MB/s and 100 ms', ['-R', '-O', '3'], 5),
  link: longLink,
}

function bulkCase(name: string, title: string, args: readonly string[], moreSeconds = 0): BenchCase {
  return {
    name,
    title,
    unit: 'MB/s',
    better: 'higher',
    carries: 'tcp',
    target: 'iperf',
    measure: (bench, tunnel) => measure(bench, tunnel, args, bench.seconds + moreSeconds),
  }
}

interface IperfReport {
  readonly end?: { readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number } }
  readonly error?: string
}

async function measure(_bench: Bench, tunnel: Tunnel, args: readonly string[], seconds: number): Promise<Sample> {
  const command = {
    side: 'cloud',
    command: findProgram('iperf3') ?? 'iperf3',
    args: ['-c', '127.0.0.1', '-p', String(tunnel.front), '-J', '-t', String(seconds), ...args],
  } as const
  const { result, cloud, connector } = await accounted(
    tunnel,
    async () => JSON.parse(await run(command, (seconds + 30) * 1000)) as IperfReport,
  )
  const received = result.end?.sum_received
  if (received === undefined) throw new Error(`iperf3: ${result.error}`)
  return { value: received.bits_per_second / 8e6, details: {}, cpu: { cloud, connector, operations: received.bytes / 1e6 } }
}
