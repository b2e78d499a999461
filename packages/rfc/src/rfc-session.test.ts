import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { scriptedClient } from '../conformance/scripted-binding.ts'

describe('calls that wait for another one of their session', () => {
  it('end with their signal, and those behind them keep their place', async () => {
    const { client, binding } = await scriptedClient()
    const giveUp = new AbortController()
    await client.withSession(async (session) => {
      const first = session.call('WAIT')
      const second = session.call('COUNT', {}, { signal: giveUp.signal }).catch((error: unknown) => error)
      let isThirdDone = false
      const third = session.call('COUNT').finally(() => {
        isThirdDone = true
      })
      await turn()
      giveUp.abort()
      expect(await second).toMatchObject({ code: 'ABORTED', message: expect.stringContaining('call COUNT at destination "ERP"') })
      await turn()
      expect(isThirdDone).toBe(false)
      binding.answers[0]?.()
      expect(await first).toEqual({ DONE: 'X' })
      // What was given up has not been called.
      expect(await third).toEqual({ COUNTER: 1, CONNECTION: 1 })
    })
    await client[Symbol.asyncDispose]()
  })

  it('spend their time while they wait', async () => {
    const { client, binding } = await scriptedClient()
    await client.withSession(async (session) => {
      const first = session.call('WAIT')
      await expect(session.call('COUNT', {}, { timeoutMs: 10 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
      binding.answers[0]?.()
      await first
      expect(await session.call('COUNT')).toEqual({ COUNTER: 1, CONNECTION: 1 })
    })
    await client[Symbol.asyncDispose]()
  })
})
