import { createSecret, type Principal } from '@sallyport/core'
import { Pool } from 'undici'
import { describe, expect, it } from 'vitest'
import { maxPrincipals } from './limits.ts'
import { createPools, type Pools } from './pools.ts'

const user = (token: string, kind: Principal['kind'] = 'business'): Principal => ({ kind, token: createSecret(token) })

const open = (): Pools =>
  createPools({
    origin: 'http://erp',
    connectorOf: () => (_options, callback) => callback(new Error('no connection'), null),
    PoolClass: Pool,
  })

describe('pools', () => {
  it('are one per token and kind of principal', async () => {
    const pools = open()
    expect(pools.of(user('a'))).toBe(pools.of(user('a')))
    const all = [pools.of(undefined), pools.of(user('a')), pools.of(user('b')), pools.of(user('a', 'technical'))]
    expect(new Set(all).size).toBe(4)
    await pools.destroy()
    expect(all.every((pool) => pool.destroyed)).toBe(true)
  })
  it('are bounded: the one that was not used for longest is closed', async () => {
    const pools = open()
    const [first, second] = [pools.of(user('first')), pools.of(user('second'))]
    for (let count = 2; count < maxPrincipals; count++) pools.of(user(`user ${count}`))
    expect(pools.of(user('first'))).toBe(first)
    pools.of(user('one more'))
    expect([first.closed, second.closed]).toEqual([false, true])
    expect(pools.of(user('second'))).not.toBe(second)
    await pools.destroy()
  })
})
