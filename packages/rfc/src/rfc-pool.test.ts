import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { scriptedClient } from '../conformance/scripted-binding.ts'

describe('the pool of an RFC client', () => {
  it('PR-062 opens nothing before the first call', async () => {
    const { client, binding } = await scriptedClient()
    await turn()
    expect(binding.connections).toHaveLength(0)
    await client.call('COUNT')
    expect(binding.connections).toHaveLength(1)
  })

  it('PR-063 serves two calls at once when pool_capacity is not set, and one after the other when it is 1', async () => {
    const free = await scriptedClient()
    const both = [free.client.call('WAIT'), free.client.call('WAIT')]
    await turn()
    expect(free.binding.answers).toHaveLength(2)
    for (const answer of free.binding.answers) answer()
    await Promise.all(both)

    const one = await scriptedClient({ pool_capacity: '1' })
    const first = one.client.call('WAIT')
    const second = one.client.call('COUNT')
    await turn()
    expect(one.binding.connections).toHaveLength(1)
    expect(one.binding.answers).toHaveLength(1)
    one.binding.answers[0]?.()
    await first
    expect(await second).toEqual({ COUNTER: 1, CONNECTION: 1 })
  })

  it('serves those who wait in the order in which they came', async () => {
    const { client, binding } = await scriptedClient({ pool_capacity: '1' })
    const order: string[] = []
    const first = client.call('WAIT')
    const others = ['A', 'B', 'C'].map(async (each) => {
      await client.call('ECHO')
      order.push(each)
    })
    await turn()
    binding.answers[0]?.()
    await Promise.all([first, ...others])
    expect(order).toEqual(['A', 'B', 'C'])
  })

  it('PR-064 lets nobody wait longer than max_get_client_time', async () => {
    const { client, binding, clock } = await scriptedClient({ pool_capacity: '1', max_get_client_time: '200' })
    const first = client.call('WAIT')
    await turn()
    const second = client.call('ECHO').catch((error: unknown) => error)
    await turn()
    clock.advance(199)
    await turn()
    clock.advance(1)
    expect(await second).toMatchObject({
      code: 'POOL_EXHAUSTED',
      details: { group: 'RESOURCE', groupNumber: 106, key: 'JCO_ERROR_RESOURCE', requestSent: false },
    })
    binding.answers[0]?.()
    await first
    // Whoever gave up takes no place with him.
    expect(await client.call('COUNT')).toEqual({ COUNTER: 1, CONNECTION: 1 })
  })

  it('lets somebody else go on when one who waits gives up, or a connection is lost', async () => {
    const { client, binding } = await scriptedClient({ pool_capacity: '1' })
    const controller = new AbortController()
    const first = client.withSession(async (session) => {
      await session.call('WAIT')
      await session.call('DROP')
    })
    await turn()
    const second = client.call('ECHO', {}, { signal: controller.signal }).catch((error: unknown) => error)
    const third = client.call('COUNT')
    await turn()
    controller.abort()
    expect(await second).toMatchObject({ code: 'ABORTED' })
    binding.answers[0]?.()
    await expect(first).rejects.toMatchObject({ details: { group: 'COMMUNICATION' } })
    expect(await third).toEqual({ COUNTER: 1, CONNECTION: 2 })
  })

  it('PR-065 closes what is more than its capacity at once, and what is idle after expiration and check period', async () => {
    const { client, binding, clock } = await scriptedClient({
      pool_capacity: '2',
      peak_limit: '3',
      expiration_time: '1000',
      expiration_check_period: '300',
    })
    const calls = [client.call('WAIT'), client.call('WAIT'), client.call('WAIT')]
    await turn()
    for (const answer of binding.answers) answer()
    await Promise.all(calls)
    await turn()
    expect(binding.connections.map(({ isClosed }) => isClosed)).toEqual([false, false, true])
    const closed = (): readonly boolean[] => binding.connections.map(({ isClosed }) => isClosed)
    // The looks are at 300, 600, 900, 1200 …
    for (const ms of [300, 300]) clock.advance(ms)
    // The one that was used last is taken again, so that the other grows old.
    expect(await client.call('COUNT')).toMatchObject({ CONNECTION: 2 })
    for (const ms of [300, 299]) clock.advance(ms)
    expect(closed()).toEqual([false, false, true])
    clock.advance(1)
    expect(closed()).toEqual([true, false, true])
    clock.advance(300)
    expect(closed()).toEqual([true, false, true])
    clock.advance(300)
    expect(closed()).toEqual([true, true, true])
  })

  it('keeps nothing with pool_capacity 0', async () => {
    const { client, binding } = await scriptedClient({ pool_capacity: '0' })
    await client.call('COUNT')
    await client.call('COUNT')
    expect(binding.connections.map(({ isClosed }) => isClosed)).toEqual([true, true])
  })

  it('PR-066 replaces a dead idle connection without a word when pool_check_connection is 1', async () => {
    const { client, binding } = await scriptedClient({ pool_check_connection: '1' })
    await client.call('COUNT')
    expect(await client.call('COUNT')).toMatchObject({ CONNECTION: 1 })
    expect(binding.connections[0]?.pings).toBe(1)
    binding.pingsFail = true
    expect(await client.call('COUNT')).toMatchObject({ CONNECTION: 2 })
    expect(binding.connections[0]?.isClosed).toBe(true)

    const without = await scriptedClient()
    await without.client.call('COUNT')
    without.binding.pingsFail = true
    expect(await without.client.call('COUNT')).toMatchObject({ CONNECTION: 1 })
    expect(without.binding.connections[0]?.pings).toBe(0)
  })

  it('PR-067 closes a connection after an error of communication or of the system, and keeps it after an ABAP exception', async () => {
    const { client, binding } = await scriptedClient()
    await expect(client.call('RAISE')).rejects.toMatchObject({ code: 'OPERATION_REFUSED', details: { key: 'NOT_FOUND' } })
    expect(await client.call('COUNT')).toMatchObject({ CONNECTION: 1 })
    await expect(client.call('DROP')).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' })
    expect(binding.connections[0]?.isClosed).toBe(true)
    expect(await client.call('COUNT')).toMatchObject({ CONNECTION: 2 })
    await expect(client.call('DUMP')).rejects.toMatchObject({ code: 'BACKEND_FAILED', details: { key: 'COMPUTE_INT_ZERODIVIDE' } })
    expect(binding.connections[1]?.isClosed).toBe(true)
    expect(await client.call('COUNT')).toMatchObject({ CONNECTION: 3 })
  })

  it('PR-068 keeps the state of a session, and lets the next one start clean', async () => {
    const { client, binding } = await scriptedClient()
    const counts = await client.withSession(async (session) => [await session.call('COUNT'), await session.call('count')])
    expect(counts).toEqual([
      { COUNTER: 1, CONNECTION: 1 },
      { COUNTER: 2, CONNECTION: 1 },
    ])
    expect(await client.call('COUNT')).toEqual({ COUNTER: 1, CONNECTION: 1 })
    expect(binding.connections[0]?.resets).toBe(1)
  })

  it('clears a session whose work threw, and lets nobody call in a session that is over', async () => {
    const { client, binding } = await scriptedClient()
    let escaped: { call(name: string): Promise<unknown> } | undefined
    const work = client.withSession(async (session) => {
      escaped = session
      await session.call('COUNT')
      throw new RangeError('of the application')
    })
    await expect(work).rejects.toThrow(RangeError)
    expect(binding.connections[0]).toMatchObject({ resets: 1, isClosed: false })
    await expect(escaped?.call('COUNT')).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('runs the calls of a session one after the other', async () => {
    const { client, binding } = await scriptedClient()
    await client.withSession(async (session) => {
      const first = session.call('WAIT')
      const second = session.call('WAIT')
      await turn()
      expect(binding.answers).toHaveLength(1)
      binding.answers[0]?.()
      await first
      await turn()
      binding.answers[1]?.()
      await second
    })
  })

  it('ends a call that takes too long, and its connection', async () => {
    const { client, binding } = await scriptedClient()
    await expect(client.call('WAIT', {}, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      details: { group: 'COMMUNICATION', requestSent: true },
    })
    expect(binding.connections[0]?.isClosed).toBe(true)
  })

  it('gives a place back when no connection can be opened', async () => {
    const { client, binding } = await scriptedClient({ pool_capacity: '1' })
    binding.opensFail = true
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(client.call('COUNT')).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', details: { requestSent: false } })
    }
    binding.opensFail = false
    expect(await client.call('COUNT')).toMatchObject({ COUNTER: 1 })
  })

  it('closes everything when it is disposed, with calls and sessions under way', async () => {
    const { client, binding } = await scriptedClient()
    await client.call('COUNT')
    const call = client.call('WAIT').catch((error: unknown) => error)
    const { promise, resolve } = Promise.withResolvers<void>()
    const session = client.withSession(async () => promise)
    await turn()
    await client[Symbol.asyncDispose]()
    await client[Symbol.asyncDispose]()
    expect(await call).toMatchObject({ code: 'ABORTED' })
    expect(binding.connections.every(({ isClosed }) => isClosed)).toBe(true)
    resolve()
    await session
    await expect(client.call('COUNT')).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(client.ping(AbortSignal.timeout(1000))).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('a call', () => {
  it('takes names in any case, and refuses what no function module is called', async () => {
    const { client, binding } = await scriptedClient()
    expect(await client.call('echo', { text: 'a', rows: [{ field: 1 }], left: undefined })).toEqual({ TEXT: 'a', ROWS: [{ FIELD: 1 }] })
    for (const name of ['', 'x'.repeat(31), 'A B', 'A\0']) {
      await expect(client.call(name)).rejects.toMatchObject({ code: 'MESSAGE_INVALID', details: { group: 'CONVERSION' } })
    }
    await expect(client.call('ECHO', { a: 1, A: 2 })).rejects.toMatchObject({ details: { group: 'CONVERSION', requestSent: false } })
    expect(binding.connections).toHaveLength(1)
  })
})
