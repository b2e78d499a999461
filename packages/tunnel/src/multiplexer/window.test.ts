import { describe, expect, it } from 'vitest'
import { firstWindow, grownWindow, isGrantDue, resumedWindow, watchMs } from './window.ts'

const long = { windowBytes: 262_144, maxWindowBytes: 16_777_216, elapsedMs: 100, roundTripMs: 100, receivedBytes: 262_144 }
const short = { ...long, elapsedMs: 1, roundTripMs: 0.2, takenBytes: 262_144 }

describe('receive window', () => {
  it('doubles when the reader took more than half of it in a round trip', () => {
    expect(grownWindow({ ...long, takenBytes: 131_073 })).toBe(524_288)
    expect(grownWindow({ ...long, takenBytes: 131_072 })).toBe(262_144)
  })
  it('takes into account that more than a round trip may have passed', () => {
    expect(grownWindow({ ...long, takenBytes: 200_000, elapsedMs: 1_000 })).toBe(262_144)
    expect(grownWindow({ ...long, takenBytes: 2_000_000, elapsedMs: 1_000 })).toBe(524_288)
  })
  it('stops at the maximum', () => {
    expect(grownWindow({ ...long, windowBytes: 16_777_216, takenBytes: 16_000_000 })).toBe(16_777_216)
  })
  it('has to be earned on a short path, where filling socket buffers looks like reading', () => {
    expect(grownWindow({ ...short, receivedBytes: 8_300_000 })).toBe(262_144)
    expect(grownWindow({ ...short, receivedBytes: 8_400_000 })).toBe(524_288)
  })
  it('is judged after a round trip, or what the event loops need for one, and not before one was measured', () => {
    expect([watchMs(undefined), watchMs(0.1), watchMs(40)]).toEqual([undefined, 1, 40])
  })
  it('begins with half of the first credit where even that is much', () => {
    expect([firstWindow(0.3), firstWindow(2), firstWindow(100)]).toEqual([131_072, 262_144, 262_144])
  })
  it('is given back in quarters', () => {
    expect([isGrantDue(262_144, 196_609), isGrantDue(262_144, 196_608)]).toEqual([false, true])
  })

  it('fills 25 MB/s at 100 ms in a second, however the bytes fall into bursts', () => {
    for (const burst of [1, 0.9, 0.6, 0.51]) {
      let windowBytes = long.windowBytes
      for (let roundTrip = 0; roundTrip < 10; roundTrip++) {
        windowBytes = grownWindow({ ...long, windowBytes, takenBytes: Math.min(windowBytes * burst, 2_500_000) })
      }
      expect(windowBytes).toBeGreaterThanOrEqual(2_500_000)
      expect(windowBytes).toBeLessThanOrEqual(10_000_000)
    }
  })

  it('gives its growth back the longer a reader has stopped, and keeps it over a short pause', () => {
    expect(resumedWindow(4_194_304, 99, 0.2)).toBe(4_194_304)
    expect(resumedWindow(4_194_304, 100, 0.2)).toBe(2_097_152)
    expect(resumedWindow(4_194_304, 399, 100)).toBe(2_097_152)
    expect(resumedWindow(4_194_304, 10_000, 0.2)).toBe(131_072)
    expect(resumedWindow(4_194_304, 10_000, 20)).toBe(262_144)
    expect(resumedWindow(131_072, 10_000, undefined)).toBe(131_072)
  })
})
