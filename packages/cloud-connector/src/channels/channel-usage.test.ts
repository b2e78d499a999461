import { describe, expect, it } from 'vitest'
import { createChannelCounter } from './channel-usage.ts'

const hourMs = 3_600_000
const start = Date.UTC(2030, 0, 1)

describe('usage of a service channel', () => {
  it('counts bytes both ways, in all and for each of the last 24 hours with traffic', () => {
    const counter = createChannelCounter()
    for (let hour = 0; hour < 30; hour++) {
      counter.add(start + hour * hourMs, 1, 2)
      counter.add(start + hour * hourMs + hourMs - 1, 10, 20)
    }
    const { bytesFromCloud, bytesToCloud, hours } = counter.usage(start + 29 * hourMs)
    expect([bytesToCloud, bytesFromCloud]).toEqual([330, 660])
    expect(hours).toHaveLength(24)
    expect(hours[0]).toEqual({ startMs: start + 6 * hourMs, bytesToCloud: 11, bytesFromCloud: 22 })
    expect(counter.usage(start + 100 * hourMs)).toMatchObject({ bytesToCloud: 330, hours: [] })
  })

  it('has no hours without traffic, and hands out copies', () => {
    const counter = createChannelCounter()
    counter.add(start, 0, 0)
    counter.count('refused')
    expect(counter.usage(start)).toEqual({ clients: 0, turnedAway: 0, refused: 1, bytesToCloud: 0, bytesFromCloud: 0, hours: [] })
    counter.add(start, 1, 0)
    const before = counter.usage(start)
    counter.add(start, 1, 0)
    expect(before.hours[0]?.bytesToCloud).toBe(1)
  })
})
