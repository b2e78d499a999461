import { describe, expect, it } from 'vitest'
import { expect as expectInCase, failCase } from './expect.ts'

describe('an expectation of a case', () => {
  it.each([
    ['toBe', () => expectInCase(1).toBe(1), () => expectInCase('1').toBe(1)],
    ['toEqual', () => expectInCase({ a: [1] }).toEqual({ a: [1] }), () => expectInCase({ a: [1] }).toEqual({ a: [2] })],
    ['toContain in a text', () => expectInCase('abc').toContain('b'), () => expectInCase('abc').toContain('x')],
    ['toContain in a list', () => expectInCase(['b']).toContain('b'), () => expectInCase(7).toContain('7')],
    ['toMatch', () => expectInCase('abc').toMatch(/^a/), () => expectInCase(undefined).toMatch(/./)],
    ['toBeGreaterThan', () => expectInCase(2).toBeGreaterThan(1), () => expectInCase(1).toBeGreaterThan(1)],
    ['toBeLessThan', () => expectInCase(1).toBeLessThan(2), () => expectInCase('1').toBeLessThan(2)],
    ['toBeLessThanOrEqual', () => expectInCase(2).toBeLessThanOrEqual(2), () => expectInCase(3).toBeLessThanOrEqual(2)],
    ['not', () => expectInCase(1).not.toBe(2), () => expectInCase(1).not.toBe(1)],
  ])('%s holds or throws', (_, holds, breaks) => {
    expect(holds).not.toThrow()
    expect(breaks).toThrow(/^expected /)
  })

  it('says what was looked at, what was expected and what was seen', () => {
    expect(() => expectInCase(407, 'the status').toBe(200)).toThrow(
      expect.objectContaining({ message: 'the status: expected 407 to be 200', expected: 200, actual: 407 }),
    )
    expect(() => failCase('nothing came')).toThrow('nothing came')
  })
})
