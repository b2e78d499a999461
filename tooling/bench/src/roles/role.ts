import { readFileSync } from 'node:fs'
import type { TestIdentity } from '@sallyport/test-fixtures'

/** What every role process is told, in a file that its first argument names. */
export interface RoleSettings {
  readonly authority: string
  readonly identity: TestIdentity
}

/** Bytes that are in use and bytes that the process holds, after a full collection when there is one. */
export interface RoleMemory {
  readonly used: number
  readonly resident: number
}

/** Reads the settings and answers SIGUSR2 with the memory of the process. The runner wrote the file and knows its type. */
export function beginRole(): unknown {
  process.on('SIGUSR2', () => {
    globalThis.gc?.()
    globalThis.gc?.()
    const { heapUsed, external, rss } = process.memoryUsage()
    const memory: RoleMemory = { used: heapUsed + external, resident: rss }
    tell({ memory })
  })
  return JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
}

/** Writes one line that the runner waits for. */
export function tell(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
