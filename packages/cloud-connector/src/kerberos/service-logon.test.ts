import { ConnectivityError } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { serviceLogonRetryMs, ticketGrantingMs, ticketMs } from '../limits.ts'
import { createServiceLogon } from './service-logon.ts'

const never = new AbortController().signal
const day = 86_400_000

function createBench() {
  const clock = createManualClock()
  const told: string[] = []
  const bench = {
    clock,
    told,
    attempts: 0,
    act: async (_signal: AbortSignal): Promise<void> => {},
    logon: createServiceLogon({
      attempt(signal) {
        bench.attempts++
        return bench.act(signal)
      },
      clock,
      onFailed: ({ message }) => void told.push(message),
    }),
  }
  return bench
}
const refused = (): Promise<never> => Promise.reject(new ConnectivityError('PRINCIPAL_NOT_ISSUED', 'wrong key'))
const silent = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })

describe('the log-on of the service user', () => {
  it('is kept for its time as it passes, whatever somebody sets the time of day to', async () => {
    const bench = createBench()
    await bench.logon.ensure(never)
    bench.clock.shift(day)
    await bench.logon.ensure(never)
    expect(bench.attempts).toBe(1)
    bench.clock.shift(-2 * day)
    bench.clock.advance(ticketGrantingMs)
    await bench.logon.ensure(never)
    expect(bench.attempts).toBe(2)
  })

  it('is not tried again for a while after a failure, whoever asks and in whatever way, also when the time of day is set', async () => {
    const bench = createBench()
    bench.act = refused
    for (const ask of ['ensure', 'renew', 'prove'] as const) {
      await expect(bench.logon[ask](never)).rejects.toThrow('wrong key')
      bench.clock.shift(day)
    }
    expect([bench.attempts, bench.told]).toEqual([1, ['wrong key']])
    bench.clock.shift(-5 * day)
    bench.clock.advance(serviceLogonRetryMs)
    bench.act = async () => {}
    await bench.logon.ensure(never)
    expect(bench.attempts).toBe(2)
  })

  it('is renewed once for all requests that find it stale, and a failure of that counts for all', async () => {
    const bench = createBench()
    await bench.logon.ensure(never)
    await bench.logon.renew(never)
    expect(bench.attempts).toBe(1)
    bench.clock.advance(serviceLogonRetryMs)
    await Promise.all([bench.logon.renew(never), bench.logon.renew(never)])
    expect(bench.attempts).toBe(2)
    bench.clock.advance(serviceLogonRetryMs)
    bench.act = refused
    await expect(bench.logon.renew(never)).rejects.toThrow('wrong key')
    await expect(bench.logon.ensure(never)).rejects.toThrow('wrong key')
    expect(bench.attempts).toBe(3)
  })

  it('is proved by another one, however fresh it is, and stays as it is when that fails', async () => {
    const bench = createBench()
    await bench.logon.ensure(never)
    bench.act = refused
    await expect(bench.logon.prove(never)).rejects.toThrow('wrong key')
    await bench.logon.ensure(never)
    expect(bench.attempts).toBe(2)
  })

  it('goes on for the others when the first who asked gives up', async () => {
    const bench = createBench()
    let succeed: (() => void) | undefined
    bench.act = (signal) =>
      new Promise((resolve, reject) => {
        succeed = resolve
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    const first = new AbortController()
    const waiting = [bench.logon.ensure(first.signal), bench.logon.ensure(never)]
    await Promise.resolve()
    const reason = new Error('gone')
    first.abort(reason)
    await expect(waiting[0]).rejects.toBe(reason)
    succeed?.()
    await waiting[1]
    expect([bench.attempts, bench.told]).toEqual([1, []])
  })

  it('ends when the last who waited has gone, and the next one begins after the pause of a failure', async () => {
    const bench = createBench()
    const ended: unknown[] = []
    bench.act = (signal) =>
      silent(signal).catch((error: unknown) => {
        ended.push(error)
        throw error
      })
    const callers = [new AbortController(), new AbortController()]
    const waiting = callers.map(({ signal }) => bench.logon.ensure(signal).catch((error: unknown) => error))
    await Promise.resolve()
    callers[0]?.abort('gone')
    expect([await waiting[0], ended]).toEqual(['gone', []])
    callers[1]?.abort('gone')
    expect([await waiting[1], ended.length, bench.told]).toEqual(['gone', 1, []])
    bench.act = async () => {}
    const next = bench.logon.ensure(never)
    bench.clock.advance(serviceLogonRetryMs - 1)
    await Promise.resolve()
    expect(bench.attempts).toBe(1)
    bench.clock.advance(1)
    await next
    expect(bench.attempts).toBe(2)
  })

  it('goes on to its own deadline when those who wait have no time left, so that its failure counts', async () => {
    const bench = createBench()
    bench.act = silent
    const late = new AbortController()
    const asked = bench.logon.ensure(late.signal).catch((error: unknown) => error)
    await Promise.resolve()
    late.abort(new ConnectivityError('PRINCIPAL_NOT_ISSUED', 'no time left'))
    await asked
    bench.clock.advance(ticketMs)
    await expect(bench.logon.ensure(never)).rejects.toThrow('the KDC does not answer in time')
    expect(bench.attempts).toBe(1)
  })

  it('has a deadline of its own, which is a failure for all', async () => {
    const bench = createBench()
    bench.act = silent
    const asked = bench.logon.ensure(never)
    await Promise.resolve()
    bench.clock.advance(ticketMs)
    await expect(asked).rejects.toThrow('the KDC does not answer in time')
    await expect(bench.logon.ensure(never)).rejects.toThrow('the KDC does not answer in time')
    expect(bench.attempts).toBe(1)
  })

  it('ends with its folder, which is nobody’s failure', async () => {
    const bench = createBench()
    bench.act = silent
    const asked = bench.logon.ensure(never)
    await Promise.resolve()
    const reason = new ConnectivityError('PRINCIPAL_NOT_ISSUED', 'stopped')
    bench.logon.close(reason)
    await expect(asked).rejects.toBe(reason)
    expect(bench.told).toEqual([])
  })
})
