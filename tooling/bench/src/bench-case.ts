import type { BackEnds } from './back-ends.ts'
import type { Carries, Tenant, Tunnel } from './contender.ts'
import type { Link } from './link.ts'
import type { Sample } from './sample.ts'

/** What a case may use while it measures. */
export interface Bench {
  readonly backEnds: BackEnds
  /** Path of the compiled load tool. */
  readonly loadTool: string
  /** How long one measurement loads the tunnel. */
  readonly seconds: number
  readonly tenant: Tenant
  /** Environment of the load tool. */
  readonly loadEnv: Readonly<Record<string, string>>
}

/** One kind of work, done by every contender that can carry it. */
export interface BenchCase {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly carries: Carries
  /** Its load can speak SOCKS5, too. */
  readonly speaksSocks?: boolean
  readonly link?: Link
  /** The roles are started so that they can collect before they report. */
  readonly measuresMemory?: boolean
  readonly target: keyof BackEnds
  measure(bench: Bench, tunnel: Tunnel): Promise<Sample>
}
