import { createHash } from 'node:crypto'
import type { Clock } from '@sallyport/core'

/** Failures that lock, and for how long after the last of them: the defaults of the server that the original's administration runs on. */
const maxFailures = 5
const lockMs = 300_000

/**
 * Parties whose failures are counted, and parties that are locked. Of those that are counted the oldest gives way; those that are locked stay until their time is
 * over. Each failure costs the work of a password, of which a machine does some thousand in five minutes, so that not even a fifth of the locks can be filled.
 */
const maxCounters = 10_000
const maxLocks = 10_000

/** Counts failed log-ons by whatever the caller takes for one party, such as a user and the address that it comes from. */
export interface LogOnLock {
  /** While it is, passwords are not even looked at, and attempts do not make it longer. */
  isLocked(party: string): boolean
  /** Failures in a row that would lock it; 0 while it is locked. */
  attemptsLeft(party: string): number
  failed(party: string): void
  succeeded(party: string): void
}

/** In memory: a restart unlocks. Other parties' failures do not. */
export function createLogOnLock(clock: Clock): LogOnLock {
  const counters = new Map<string, { readonly failures: number; readonly untilMs: number }>()
  /** Until when; in the order of that, because every lock lasts as long. */
  const locks = new Map<string, number>()

  const forgetEnded = (): void => {
    for (const [name, untilMs] of locks) {
      if (untilMs > clock.elapsed()) return
      locks.delete(name)
    }
  }

  const isLocked = (name: string): boolean => (locks.get(name) ?? 0) > clock.elapsed()
  const failuresOf = (name: string): number => {
    const counter = counters.get(name)
    return counter === undefined || counter.untilMs <= clock.elapsed() ? 0 : counter.failures
  }

  return {
    isLocked: (party) => isLocked(nameOf(party)),
    attemptsLeft(party) {
      const name = nameOf(party)
      return isLocked(name) ? 0 : maxFailures - failuresOf(name)
    },
    failed(party) {
      const name = nameOf(party)
      const failures = failuresOf(name) + 1
      counters.delete(name)
      if (failures < maxFailures) {
        const oldest = counters.size < maxCounters ? undefined : counters.keys().next().value
        if (oldest !== undefined) counters.delete(oldest)
        counters.set(name, { failures, untilMs: clock.elapsed() + lockMs })
        return
      }
      forgetEnded()
      const first = locks.size < maxLocks ? undefined : locks.keys().next().value
      if (first !== undefined) locks.delete(first)
      locks.delete(name)
      locks.set(name, clock.elapsed() + lockMs)
    },
    succeeded: (party) => void counters.delete(nameOf(party)),
  }
}

/** Names are as long as somebody likes; what is kept is not. */
function nameOf(party: string): string {
  return createHash('sha256').update(party).digest('base64url')
}
