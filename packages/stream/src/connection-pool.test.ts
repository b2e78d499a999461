import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createConnectionPool, type PooledConnection } from './index.ts'

interface FakeConnection extends PooledConnection {
  readonly id: number
  fail(): void
}

function setUp(options: { readonly maxConnections?: number; readonly openFails?: boolean } = {}) {
  const clock = createManualClock()
  const opened: FakeConnection[] = []
  const closed: number[] = []
  const open = async (): Promise<FakeConnection> => {
    if (options.openFails === true) throw new Error('refused')
    const { promise: broken, reject } = Promise.withResolvers<never>()
    broken.catch(() => {})
    let failure: Error | undefined
    const id = opened.length
    const connection: FakeConnection = {
      id,
      get failure() {
        return failure
      },
      broken,
      fail() {
        failure = new Error('broke')
        reject(failure)
      },
      close: async () => void closed.push(id),
    }
    opened.push(connection)
    return connection
  }
  const pool = createConnectionPool({ open, maxConnections: options.maxConnections ?? 2, idleMs: 1000, clock, waiting: 'wait for a line' })
  return { pool, clock, opened, closed, open }
}

const signal = (): AbortSignal => AbortSignal.timeout(5000)

describe('a pool of connections', () => {
  it('opens none before it is used, reuses idle ones, and never opens more than it may', async () => {
    const { pool, opened } = setUp()
    expect(opened).toHaveLength(0)
    const gate = Promise.withResolvers<void>()
    const served: number[] = []
    const work = Array.from({ length: 6 }, () =>
      pool.use(signal(), async ({ id }) => {
        served.push(id)
        await gate.promise
      }),
    )
    await new Promise((resolve) => void setImmediate(resolve))
    expect(served).toEqual([0, 1])
    gate.resolve()
    await Promise.all(work)
    expect(served).toHaveLength(6)
    expect(opened).toHaveLength(2)
  })

  it('lets nobody wait behind an attempt that failed, and tells a waiter that is aborted', async () => {
    const failing = setUp({ maxConnections: 1, openFails: true })
    for (let round = 0; round < 3; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      await expect(failing.pool.use(signal(), async () => {})).rejects.toThrow('refused')
    }
    const { pool } = setUp({ maxConnections: 1 })
    const gate = Promise.withResolvers<void>()
    const first = pool.use(signal(), () => gate.promise)
    const aborter = new AbortController()
    const second = pool.use(aborter.signal, async () => {})
    aborter.abort()
    await expect(second).rejects.toMatchObject({ code: 'ABORTED', message: expect.stringContaining('wait for a line') })
    await expect(pool.use(AbortSignal.abort(), async () => {})).rejects.toMatchObject({ code: 'ABORTED' })
    gate.resolve()
    await first
    expect(await pool.use(signal(), async ({ id }) => id)).toBe(0)
  })

  it('closes what was idle for too long, and what broke meanwhile', async () => {
    const { pool, clock, opened, closed } = setUp()
    await pool.use(signal(), async () => {})
    clock.advance(999)
    expect(closed).toEqual([])
    clock.advance(1)
    expect(closed).toEqual([0])
    await pool.use(signal(), async () => {})
    opened[1]?.fail()
    await expect(opened[1]?.broken).rejects.toThrow('broke')
    expect(closed).toEqual([0, 1])
    await pool.use(signal(), async (connection) => connection.fail())
    expect(closed).toEqual([0, 1, 2])
  })

  it('uses none again that was retired or replaced', async () => {
    const { pool, closed, open } = setUp()
    const gate = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const busy = pool.use(signal(), () => {
      started.resolve()
      return gate.promise
    })
    await started.promise
    pool.retire()
    gate.resolve()
    await busy
    expect(closed).toEqual([0])
    await pool.use(signal(), async () => {})
    await pool.replace(signal(), open)
    expect(closed).toEqual([0, 1])
    expect(await pool.use(signal(), async ({ id }) => id)).toBe(2)
    await expect(pool.replace(signal(), () => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
    expect(await pool.use(signal(), async ({ id }) => id)).toBe(2)
    await pool.closeIdle()
    expect(closed).toEqual([0, 1, 2])
  })
})
