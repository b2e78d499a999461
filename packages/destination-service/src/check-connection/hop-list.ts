import type { CheckedHop, ConnectionVerdict } from '@sallyport/admin-api'

/** Collects the steps of one check, each with its duration. */
export interface HopList {
  /** Runs a step; `describe` says what was reached. When it fails, `explain` says why and the check is over: the step's error is thrown on. */
  step<T>(hop: CheckedHop['hop'], work: () => Promise<T>, texts: StepTexts<T>): Promise<T>
  /** Notes a step that began at a time of `performance.now()`. */
  note(hop: Omit<CheckedHop, 'durationMs'>, sinceMs: number): void
  verdict(outcome: Pick<ConnectionVerdict, 'successful' | 'message' | 'status'>): ConnectionVerdict
}

interface StepTexts<T> {
  readonly describe: (outcome: T) => string
  readonly explain: (error: unknown) => string
}

/** Starts the clock of a check. */
export function createHopList(): HopList {
  const startedMs = performance.now()
  const hops: CheckedHop[] = []
  return {
    async step(hop, work, { describe, explain }) {
      const beganMs = performance.now()
      try {
        const outcome = await work()
        hops.push({ hop, ok: true, durationMs: since(beganMs), detail: describe(outcome) })
        return outcome
      } catch (error) {
        hops.push({ hop, ok: false, durationMs: since(beganMs), detail: explain(error) })
        throw error
      }
    },
    note(hop, sinceMs) {
      hops.push({ ...hop, durationMs: since(sinceMs) })
    },
    verdict: (outcome) => ({ ...outcome, durationMs: since(startedMs), hops }),
  }
}

/** Milliseconds with one decimal: finer than that is noise. */
function since(ms: number): number {
  return Math.round((performance.now() - ms) * 10) / 10
}
