import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { atTime } from './at-time.ts'

const day = 86_400_000

it('calls back at a time beyond what a timer can count, once', () => {
  const clock = createManualClock(0)
  const delays: number[] = []
  const watched = {
    now: () => clock.now(),
    after(delayMs: number, callback: () => void) {
      delays.push(delayMs)
      return clock.after(delayMs, callback)
    },
  }
  let calls = 0
  atTime(watched, 100 * day + 5, () => calls++)
  for (let passed = 0; passed < 100; passed++) clock.advance(day)
  expect(calls).toBe(0)
  clock.advance(5)
  clock.advance(day)
  expect(calls).toBe(1)
  expect(Math.max(...delays)).toBeLessThan(2 ** 31)
})

it('calls back at once for a time that has passed, and never after it was cancelled', () => {
  const clock = createManualClock(1_000)
  let calls = 0
  atTime(clock, 0, () => calls++)
  const cancel = atTime(clock, 5_000, () => calls++)
  cancel()
  clock.advance(10_000)
  expect(calls).toBe(1)
})
