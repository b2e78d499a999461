import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRefused, scramblePassword, unscramblePassword } from './index.ts'

describe('passwords', () => {
  it('PR-083 are scrambled to the vectors of the specification', () => {
    expect(scramblePassword('secret', 0x30054d96).toString('hex')).toBe('964d0530b1c442787a77')
    expect(scramblePassword('Welcome1!', 1).toString('hex')).toBe('01000000ef572a949b0fbd6240')
  })

  it('come back with any seed', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{1,40}$/), fc.integer({ min: 0, max: 0xffff_ffff }), (password, seed) => {
        expect(unscramblePassword(scramblePassword(password, seed))).toBe(password)
      }),
      { numRuns: 3000 },
    )
  })

  it.each(['', 'x'.repeat(41), 'pässword', 'a\0b'])('are not scrambled when they are %j, nor repeated in the message', (password) => {
    expect(() => scramblePassword(password, 1)).toThrow(/^a password has/)
  })

  it('are refused without characters, with too many and with unprintable ones', () => {
    for (const value of [Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(45)]) expect(isRefused(unscramblePassword(value))).toBe(true)
    expect(isRefused(unscramblePassword(Buffer.concat([scramblePassword('x', 7).subarray(0, 4), Buffer.from([0])])))).toBe(true)
  })
})
