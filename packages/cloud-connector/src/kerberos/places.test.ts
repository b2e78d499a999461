import { describe, expect, it } from 'vitest'
import { createPlaces } from './places.ts'

const signal = AbortSignal.timeout(10_000)

describe('places', () => {
  it('are given one by one, then to who has waited longest', async () => {
    const places = createPlaces({ count: 2, maxWaiting: 5 })
    expect([await places.take(signal), await places.take(signal)]).toEqual([0, 1])
    const got: string[] = []
    const waiting = ['first', 'second'].map((who) => places.take(signal).then((place) => got.push(`${who} ${place}`)))
    places.give(1)
    places.give(0)
    await Promise.all(waiting)
    expect(got).toEqual(['first 1', 'second 0'])
  })

  it('refuses who would wait behind too many, and forgets who has given up', async () => {
    const places = createPlaces({ count: 1, maxWaiting: 1 })
    await places.take(signal)
    const impatient = new AbortController()
    const waiting = places.take(impatient.signal)
    await expect(places.take(signal)).rejects.toMatchObject({ code: 'PRINCIPAL_NOT_ISSUED' })
    impatient.abort(new Error('given up'))
    await expect(waiting).rejects.toThrow('given up')
    const next = places.take(signal)
    places.give(0)
    expect(await next).toBe(0)
  })
})
