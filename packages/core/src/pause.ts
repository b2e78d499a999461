import type { Clock } from './clock.ts'
import { underSignal } from './deadline.ts'

/**
 * Waits, for somebody who goes on afterwards. Timers of a clock keep no process alive, and between two attempts nothing else may
 * do so either: the process would end in the middle, without an error. This does keep it alive.
 *
 * @throws ConnectivityError `ABORTED` or `DEADLINE_EXCEEDED` when the signal fires first.
 */
export async function pause(clock: Clock, delayMs: number, signal: AbortSignal, attempt: string): Promise<void> {
  const held = setInterval(() => {}, 2_147_483_647)
  let cancel = (): void => {}
  try {
    const over = new Promise<void>((resolve) => {
      cancel = clock.after(delayMs, resolve)
    })
    await underSignal(over, signal, attempt)
  } finally {
    clearInterval(held)
    cancel()
  }
}
