import { readFileSync } from 'node:fs'
import type { TestIdentity } from '@sallyport/test-fixtures'

/** What every role process is told, in a file that its first argument names. */
export interface RoleSettings {
  readonly authority: string
  readonly identity: TestIdentity
  /** Port of the tunnel's listening end, or of the link in front of it; for the connector. */
  readonly tunnel?: number
  /** Port of the back end; for the connector. */
  readonly target?: number
}

/** Bytes that are in use and bytes that the process holds, after a full collection when there is one. */
export interface RoleMemory {
  readonly used: number
  readonly resident: number
}

/** Reads the settings and answers SIGUSR2 with the memory of the process. */
export function beginRole(): RoleSettings {
  process.on('SIGUSR2', () => {
    globalThis.gc?.()
    globalThis.gc?.()
    const { heapUsed, external, rss } = process.memoryUsage()
    const memory: RoleMemory = { used: heapUsed + external, resident: rss }
    tell({ memory })
  })
  return JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as RoleSettings
}

/** Writes one line that the runner waits for. */
export function tell(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
