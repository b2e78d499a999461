import { describe, expect, it } from 'vitest'
import { endOfValidity } from './validity.ts'

describe('the end of a validity', () => {
  it.each([
    ['2030-01-31T10:00:00Z', 'MONTHS', 1, '2030-02-28T10:00:00.000Z'],
    ['2031-12-31T23:59:59Z', 'MONTHS', 2, '2032-02-29T23:59:59.000Z'],
    ['2030-01-31T10:00:00Z', 'MONTHS', 12, '2031-01-31T10:00:00.000Z'],
    ['2032-02-29T00:00:00Z', 'YEARS', 1, '2033-02-28T00:00:00.000Z'],
    ['2032-02-29T00:00:00Z', 'YEARS', 4, '2036-02-29T00:00:00.000Z'],
    ['2030-10-15T00:00:00Z', 'MONTHS', 5, '2031-03-15T00:00:00.000Z'],
    ['2030-03-30T12:00:00Z', 'DAYS', 2, '2030-04-01T12:00:00.000Z'],
  ] as const)('of %s and %s %i is by the calendar', (from, unit, value, end) => {
    expect(new Date(endOfValidity(Date.parse(from), { unit, value })).toISOString()).toBe(end)
  })
})
