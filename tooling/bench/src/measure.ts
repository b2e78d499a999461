import type { Bench, BenchCase } from './bench-case.ts'
import type { Carries, Certificates, Contender, Tenant } from './contender.ts'
import { toleratedDisturbancePercent, untilQuiet, watchDisturbance } from './disturbance.ts'
import { setLoopbackMtu } from './namespace.ts'
import type { BenchRecord } from './record.ts'
import type { Sample } from './sample.ts'
import { withSite } from './site.ts'

export interface MeasureOptions {
  readonly bench: Bench
  readonly folder: string
  readonly certificates: Certificates
  readonly tenant: Tenant
  /** Whether the loopback interface is ours to change. */
  readonly ownsLoopback: boolean
  readonly patient: boolean
}

/** A round that others disturb is tried again so often. */
const attempts = 3
const quietWaitMs = 10_000

/** Measures one contender once, with a tunnel of its own. */
export async function measure(options: MeasureOptions, benchCase: BenchCase, contender: Contender, round: number): Promise<BenchRecord> {
  const own = { case: benchCase.name, contender: contender.name, round }
  for (let attempt = 1; ; attempt += 1) {
    if (options.patient) await untilQuiet(quietWaitMs)
    const look = watchDisturbance()
    let sample: Sample | undefined
    let error: string | undefined
    try {
      sample = await measureOnce(options, benchCase, contender)
    } catch (cause) {
      error = cause instanceof Error ? cause.message : String(cause)
    }
    const { otherPercent } = look()
    const disturbed = otherPercent > toleratedDisturbancePercent
    const isLast = attempt >= attempts || !options.patient
    if (isLast || (error === undefined && !disturbed)) return { ...own, sample, error, disturbed, otherPercent }
  }
}

/** How the contender would carry the load of the case; `undefined` if it cannot. */
export function carriedBy(contender: Contender, { carries, speaksSocks }: BenchCase): Carries | undefined {
  if (contender.carries.includes(carries)) return carries
  return speaksSocks === true && contender.carries.includes('socks') ? 'socks' : undefined
}

async function measureOnce(options: MeasureOptions, benchCase: BenchCase, contender: Contender): Promise<Sample> {
  const { bench, folder, certificates, tenant, ownsLoopback } = options
  const { link, measuresMemory = false, target } = benchCase
  const carries = carriedBy(contender, benchCase)
  if (carries === undefined) throw new Error(`${contender.name} cannot carry ${benchCase.name}`)
  const narrow = link !== undefined && ownsLoopback
  if (narrow) setLoopbackMtu(1500)
  try {
    const site = { folder, target: bench.backEnds[target], certificates, tenant, measuresMemory, link, loadTool: bench.loadTool }
    return await withSite(site, async (own, settle) => {
      const tunnel = await contender.up(own, carries)
      await settle()
      return await benchCase.measure(carries === 'socks' ? { ...bench, loadEnv: { BENCH_SOCKS_TOKEN: tenant.token } } : bench, tunnel)
    })
  } finally {
    if (narrow) setLoopbackMtu(65_536)
  }
}
