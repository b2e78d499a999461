import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createLogOnLock } from './log-on-lock.ts'

const fail = (lock: ReturnType<typeof createLogOnLock>, party: string, times = 5): void => {
  for (let time = 0; time < times; time += 1) lock.failed(party)
}

describe('the lock of log-ons', () => {
  it('stays while any number of others fail, and while they are locked as well', () => {
    const lock = createLogOnLock(createManualClock())
    fail(lock, 'administrator')
    for (let other = 0; other < 20_000; other += 1) fail(lock, `other-${other}`, 1)
    for (let other = 0; other < 9_000; other += 1) fail(lock, `locked-${other}`)
    expect(lock.isLocked('administrator')).toBe(true)
  })

  it('ends after five minutes, whatever was tried meanwhile, and then counts anew', () => {
    const clock = createManualClock()
    const lock = createLogOnLock(clock)
    fail(lock, 'a')
    clock.advance(299_999)
    fail(lock, 'b')
    expect([lock.isLocked('a'), lock.isLocked('b')]).toEqual([true, true])
    clock.advance(1)
    expect([lock.isLocked('a'), lock.isLocked('b')]).toEqual([false, true])
    fail(lock, 'a', 4)
    expect(lock.isLocked('a')).toBe(false)
    lock.failed('a')
    expect(lock.isLocked('a')).toBe(true)
  })

  it('counts failures in a row that are not older than five minutes', () => {
    const clock = createManualClock()
    const lock = createLogOnLock(clock)
    fail(lock, 'a', 4)
    lock.succeeded('a')
    fail(lock, 'a', 4)
    clock.advance(300_000)
    lock.failed('a')
    expect(lock.isLocked('a')).toBe(false)
  })
})
