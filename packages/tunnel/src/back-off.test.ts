import { expect, it } from 'vitest'
import { backOffMs } from './back-off.ts'

const limits = { floorMs: 200, ceilingMs: 30_000 }

it('doubles its ceiling from 0.2 s to 30 s and picks any time below it', () => {
  expect([0, 1, 2, 7, 8, 1_000].map((failures) => backOffMs(failures, limits, () => 1))).toEqual([200, 400, 800, 25_600, 30_000, 30_000])
  expect(backOffMs(5, limits, () => 0)).toBe(0)
  expect(backOffMs(5, limits, () => 0.25)).toBe(1_600)
})
