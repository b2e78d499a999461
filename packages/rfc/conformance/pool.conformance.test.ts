import type { Dial } from '@sallyport/core'
import { type AbapFunction, type AbapGateway, createAbapGateway } from '@sallyport/conformance/backends'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RfcClient } from '../src/index.ts'
import { createClassicClient, loopbackDial } from './classic-system.ts'

/** Calls that wait until the test lets them answer. */
let waiting: (() => void)[]
const wait: AbapFunction = {
  name: 'Z_WAIT',
  parameters: [],
  run: () => new Promise((resolve) => waiting.push(() => resolve({}))),
}
let gateway: AbapGateway
beforeEach(async () => {
  waiting = []
  gateway = await createAbapGateway({ functions: [wait] })
})
afterEach(async () => gateway[Symbol.asyncDispose]())

async function connect(
  pool: Readonly<Record<string, string>> = {},
  dial?: Dial,
): Promise<RfcClient & { readonly clock: ReturnType<typeof createManualClock> }> {
  const clock = createManualClock()
  const properties = Object.fromEntries(Object.entries(pool).map(([name, value]) => [`jco.destination.${name}`, value]))
  const { client } = await createClassicClient(gateway.address, { properties, clock, ...(dial === undefined ? {} : { dial }) })
  return Object.assign(client, { clock })
}
const whoWaits = async (count: number): Promise<void> => {
  await expect.poll(() => waiting.length).toBe(count)
}
const answer = (): void => {
  for (const each of waiting.splice(0)) each()
}
/** Conversations that have called the function, in the order of the calls. */
const callers = (functionName: string): readonly number[] =>
  gateway.seen.calls.filter((call) => call.functionName === functionName).map((call) => call.connection)

describe('the pool at a system', () => {
  it('PR-062 opens no connection before the first call', async () => {
    await using client = await connect()
    expect(gateway.accepted).toBe(0)
    await client.call('Z_COUNT')
    expect(gateway.accepted).toBe(1)
    await client.call('Z_COUNT')
    expect(gateway.accepted).toBe(1)
  })

  it('PR-063 has two connections for two calls at once, and one for both with pool_capacity 1', async () => {
    await using free = await connect()
    const both = [free.call('Z_WAIT'), free.call('Z_WAIT')]
    await whoWaits(2)
    answer()
    await Promise.all(both)
    expect(new Set(callers('Z_WAIT')).size).toBe(2)

    await using one = await connect({ pool_capacity: '1' })
    const first = one.call('Z_WAIT')
    await whoWaits(1)
    const second = one.call('Z_COUNT')
    const before = gateway.accepted
    answer()
    await Promise.all([first, second])
    expect(gateway.accepted).toBe(before)
    expect(callers('Z_COUNT')).toEqual([before])
  })

  it('PR-064 ends the wait for a connection after max_get_client_time', async () => {
    await using client = await connect({ pool_capacity: '1', max_get_client_time: '500' })
    const first = client.call('Z_WAIT')
    await whoWaits(1)
    const second = client.call('Z_COUNT').catch((error: unknown) => error)
    client.clock.advance(500)
    expect(await second).toMatchObject({ code: 'POOL_EXHAUSTED', details: { key: 'JCO_ERROR_RESOURCE' } })
    answer()
    await first
    expect(callers('Z_COUNT')).toEqual([])
  })

  it('PR-065 ends connections that are too many at once, and idle ones in time', async () => {
    await using client = await connect({ pool_capacity: '1', peak_limit: '2', expiration_time: '1000', expiration_check_period: '400' })
    const both = [client.call('Z_WAIT'), client.call('Z_WAIT')]
    await whoWaits(2)
    answer()
    await Promise.all(both)
    await expect.poll(() => gateway.seen.deallocated).toBe(1)
    for (const ms of [400, 400]) client.clock.advance(ms)
    expect(gateway.seen.deallocated).toBe(1)
    client.clock.advance(400)
    await gateway.idle()
    await client.call('Z_COUNT')
    expect(gateway.accepted).toBe(3)
  })

  it('PR-066 replaces a connection that died while it was idle, before the call', async () => {
    let cut = false
    // The far side of an idle connection can be gone without a word: nothing comes back any more.
    const dial: Dial = async (address, options) => {
      const stream = await loopbackDial(gateway.address)(address, options)
      const { write } = stream
      stream.write = ((...words: Parameters<typeof write>) => {
        if (!cut) return write.apply(stream, words)
        cut = false
        stream.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }))
        return false
      }) as typeof write
      return stream
    }
    await using client = await connect({ pool_check_connection: '1' }, dial)
    await client.call('Z_COUNT')
    cut = true
    expect(await client.call('Z_COUNT')).toEqual({ COUNT: 1 })
    expect(gateway.accepted).toBe(2)
    await client.call('Z_COUNT')
    expect(gateway.accepted).toBe(2)

    await using unchecked = await connect({}, dial)
    await unchecked.call('Z_COUNT')
    cut = true
    await expect(unchecked.call('Z_COUNT')).rejects.toMatchObject({ details: { group: 'COMMUNICATION' } })
  })

  it('PR-067 keeps a connection after an exception, and ends it after a message or a broken answer', async () => {
    await using client = await connect()
    await expect(client.call('STFC_EXCEPTION')).rejects.toMatchObject({ details: { key: 'EXAMPLE' } })
    await client.call('Z_COUNT')
    expect(gateway.accepted).toBe(1)
    await expect(client.call('RFC_RAISE_ERROR', { MESSAGETYPE: 'A' })).rejects.toMatchObject({ details: { group: 'SYSTEM_FAILURE' } })
    await client.call('Z_COUNT')
    expect(gateway.accepted).toBe(2)
    const broken = client.call('Z_WAIT').catch((error: unknown) => error)
    await whoWaits(1)
    gateway.breakConnections()
    expect(await broken).toMatchObject({ details: { group: 'COMMUNICATION', requestSent: true } })
    await client.call('Z_COUNT')
    expect(gateway.accepted).toBe(3)
  })

  it('PR-069 does not send a call again whose connection broke', async () => {
    await using client = await connect({ pool_check_connection: '1' })
    const broken = client.call('Z_WAIT').catch((error: unknown) => error)
    await whoWaits(1)
    gateway.breakConnections()
    expect(await broken).toMatchObject({ details: { group: 'COMMUNICATION', requestSent: true } })
    await client.call('Z_COUNT')
    expect(callers('Z_WAIT')).toHaveLength(1)
  })
})
