import type { Application, Seen } from './application.ts'
import { pause } from './wait.ts'

/** One request of the series, with times on the same clock as `performance.now()`. */
export interface Probe extends Seen {
  readonly path: string
  readonly startedMs: number
}

/** Requests that go on all the time, a new one every 200 ms whatever became of those before. */
export interface Probes {
  /** Those that have ended. */
  readonly ended: readonly Probe[]
  /** Begins no more, and settles when all have ended. */
  stop(): Promise<readonly Probe[]>
}

const intervalMs = 200
const timeoutMs = 8_000
let count = 0

/** Begins the series. */
export function startProbes(application: Application): Probes {
  const ended: Probe[] = []
  const ending = new AbortController()
  const send = async (): Promise<void> => {
    count += 1
    const path = `/probe/${count}`
    const startedMs = performance.now()
    ended.push({ path, startedMs, ...(await application.get(path, timeoutMs)) })
  }
  const working = (async () => {
    const sent: Promise<void>[] = []
    while (!ending.signal.aborted) {
      sent.push(send())
      await pause(intervalMs)
    }
    await Promise.all(sent)
  })()
  return {
    ended,
    async stop() {
      ending.abort()
      await working
      return ended
    },
  }
}

/** When the first request that began after a moment had succeeded; `undefined` when none has. */
export function nextSuccessMs(probes: readonly Probe[], sinceMs: number): number | undefined {
  const ends = probes.filter(({ outcome, startedMs }) => outcome === 200 && startedMs >= sinceMs).map(endOf)
  return ends.length === 0 ? undefined : Math.min(...ends) - sinceMs
}

/** When a request had ended. */
export function endOf({ afterMs, startedMs }: Probe): number {
  return startedMs + afterMs
}
