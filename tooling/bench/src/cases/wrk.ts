import { join } from 'node:path'
import { findProgram } from '@sallyport/real-backends'
import { accounted } from '../account.ts'
import type { Bench, BenchCase } from '../bench-case.ts'
import type { Tunnel } from '../contender.ts'
import { run } from '../processes.ts'
import { type Exposed, exposed } from '../roles/exposed.ts'
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
  measure: (bench, tunnel) => measure(bench, tunnel, { args: [], env: {} }),
}

/** Through an HTTP proxy that checks a token and decides about every path; peers only forward. */
export const proxiedRequests: BenchCase = {
  name: 'http',
  title: 'proxied HTTP requests with token, access decision and audit',
  unit: '1/s',
  better: 'higher',
  carries: 'http',
  target: 'http',
  measure: (bench, tunnel) => measure(bench, tunnel, asApplication(bench, exposed.http)),
}

/** The same towards a TLS back end that asks for a certificate. */
export const proxiedTlsRequests: BenchCase = {
  ...proxiedRequests,
  name: 'http-tls',
  title: 'the same to a back end with mutual TLS',
  carries: 'https',
  target: 'https',
  measure: (bench, tunnel) => measure(bench, tunnel, asApplication(bench, exposed.https)),
}

/** The same with the token of a person, whose certificate goes along; it is issued once and kept. */
export const propagatedRequests: BenchCase = {
  ...proxiedTlsRequests,
  name: 'http-propagated',
  title: 'the same with the principal propagated',
  measure(bench, tunnel) {
    const load = asApplication(bench, exposed.https)
    return measure(bench, tunnel, { ...load, env: { ...load.env, BENCH_USER_TOKEN: bench.tenant.userToken } })
  },
}

interface WrkLoad {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

function asApplication({ tenant }: Bench, { host, port }: Exposed): WrkLoad {
  const script = join(import.meta.dirname, '..', '..', 'tools', 'proxy.lua')
  return { args: ['-s', script], env: { BENCH_TOKEN: tenant.token, BENCH_AUTHORITY: `${host}:${port}` } }
}

async function measure({ seconds }: Bench, tunnel: Tunnel, { args, env }: WrkLoad): Promise<Sample> {
  const command = findProgram('wrk') ?? 'wrk'
  const url = `http://127.0.0.1:${tunnel.front}/`
  const load = (duration: number): Promise<string> =>
    run(
      { side: 'cloud', command, args: ['-t1', `-c${connections}`, `-d${duration}s`, '--latency', ...args, url], env },
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
