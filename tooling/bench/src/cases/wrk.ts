import { join } from 'node:path'
import { findProgram } from '@sallyport/real-backends'
import { accounted } from '../account.ts'
import type { Bench, BenchCase } from '../bench-case.ts'
import type { Tunnel } from '../contender.ts'
import { run } from '../processes.ts'
import type { Sample } from '../sample.ts'

/** Connections that are kept alive; each waits for its answer before it sends again. */
const connections = 64
const warmUpSeconds = 2

/** Through a tunnel that knows nothing of HTTP. */
export const smallRequests: BenchCase = {
  name: 'requests',
  title: 'small requests on open streams',
  unit: '1/s',
  better: 'higher',
  carries: 'tcp',
  target: 'http',
  measure: (bench, tunnel) => measure(bench, tunnel, []),
}

/** Through an HTTP proxy that checks a token and decides about every path; peers only forward. */
export const proxiedRequests: BenchCase = {
  name: 'http',
  title: 'proxied HTTP requests with token, access decision and audit',
  unit: '1/s',
  better: 'higher',
  carries: 'http',
  target: 'http',
  measure: (bench, tunnel) => measure(bench, tunnel, ['-s', join(import.meta.dirname, '..', '..', 'tools', 'proxy.lua')]),
}

async function measure({ seconds, tenant }: Bench, tunnel: Tunnel, args: readonly string[]): Promise<Sample> {
  const load = (duration: number): Promise<string> =>
    run(
      {
        side: 'cloud',
        command: findProgram('wrk') ?? 'wrk',
        args: ['-t1', `-c${connections}`, `-d${duration}s`, '--latency', ...args, `http://127.0.0.1:${tunnel.front}/`],
        env: { BENCH_TOKEN: tenant.token },
      },
      (duration + 20) * 1000,
    )
  await load(warmUpSeconds)
  const { result, cloud, connector } = await accounted(tunnel, () => load(seconds))
  const failed = /Non-2xx or 3xx responses: (\d+)/.exec(result)?.[1] ?? /Socket errors: (.*)/.exec(result)?.[1]
  if (failed !== undefined) throw new Error(`requests failed: ${failed}`)
  const operations = Number(/(\d+) requests in/.exec(result)?.[1])
  const value = Number(/Requests\/sec:\s+([\d.]+)/.exec(result)?.[1])
  return { value, details: { p50Us: percentile(result, 50), p99Us: percentile(result, 99) }, cpu: { cloud, connector, operations } }
}

const microseconds: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6 }

function percentile(report: string, percent: number): number {
  const [, amount = '', unit = ''] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(report) ?? []
  return Number(amount) * (microseconds[unit] ?? Number.NaN)
}
