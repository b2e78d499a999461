import { describe, expect, it } from 'vitest'
import { grownWindow, resumedWindow } from './window.ts'

const base = { windowBytes: 262_144, maxWindowBytes: 16_777_216, receivedBytes: 262_144 }

describe('receive window', () => {
  it('doubles while half of it is used up within a round trip', () => {
    expect(grownWindow({ ...base, elapsedMs: 50, roundTripMs: 100 })).toBe(524_288)
  })
  it('stays when the sender takes longer than a round trip, because then it is not credit that it waits for', () => {
    expect(grownWindow({ ...base, elapsedMs: 100, roundTripMs: 100 })).toBe(262_144)
  })
  it('stays before the first measurement', () => {
    expect(grownWindow({ ...base, elapsedMs: 0, roundTripMs: undefined })).toBe(262_144)
  })
  it('stops at the maximum', () => {
    expect(grownWindow({ ...base, windowBytes: 16_777_216, elapsedMs: 1, roundTripMs: 100 })).toBe(16_777_216)
  })
  it('has to be earned on a short path, where filling socket buffers looks like reading', () => {
    expect(grownWindow({ ...base, receivedBytes: 4_000_000, elapsedMs: 0.1, roundTripMs: 0.2 })).toBe(262_144)
    expect(grownWindow({ ...base, receivedBytes: 4_200_000, elapsedMs: 0.1, roundTripMs: 0.2 })).toBe(524_288)
  })
  it('fills 25 MB/s at 100 ms within a second', () => {
    let windowBytes = base.windowBytes
    let receivedBytes = 0
    for (let passedMs = 0; passedMs < 1_000; passedMs += 50) {
      receivedBytes += Math.min(windowBytes / 2, 25_000 * 50)
      const elapsedMs = Math.max(50, windowBytes / 2 / 25_000)
      windowBytes = grownWindow({ ...base, windowBytes, receivedBytes, elapsedMs, roundTripMs: 100 })
    }
    expect(windowBytes).toBeGreaterThanOrEqual(2_500_000)
  })
  it('gives its growth back after a reader has stopped, and keeps it over a short pause', () => {
    expect(resumedWindow(4_194_304, 100)).toBe(262_144)
    expect(resumedWindow(4_194_304, 99)).toBe(4_194_304)
  })
})
