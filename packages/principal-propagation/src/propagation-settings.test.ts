import { expect, it } from 'vitest'
import { parsePropagationSettings } from './index.ts'

const settings = (expirationToleranceInHr: unknown, certificateValidityInMin: unknown): unknown => ({
  expirationToleranceInHr,
  certificateValidityInMin,
})

it('PP-014 refuses settings of 0, 337 hours and 43201 minutes and accepts 1, 336 and 43200', () => {
  for (const value of [settings(0, 60), settings(337, 60), settings(2, 0), settings(2, 43_201)]) {
    expect(() => parsePropagationSettings(value)).toThrow(
      expect.objectContaining({ code: 'MESSAGE_INVALID', traits: expect.objectContaining({ status: 400 }) as unknown }),
    )
  }
  for (const value of [settings(1, 1), settings(336, 43_200)]) expect(parsePropagationSettings(value)).toEqual(value)
})

it.each<[unknown, string]>([
  [undefined, 'expirationToleranceInHr is missing; certificateValidityInMin is missing'],
  [{}, 'expirationToleranceInHr is missing; certificateValidityInMin is missing'],
  [settings(2, undefined), 'certificateValidityInMin is missing'],
  [settings('2', 60), 'expirationToleranceInHr is not a whole number from 1 to 336'],
  [
    settings(2.5, null),
    'expirationToleranceInHr is not a whole number from 1 to 336; certificateValidityInMin is not a whole number from 1 to 43200',
  ],
])('names every problem of %j', (value, problems) => {
  expect(() => parsePropagationSettings(value)).toThrow(problems)
})

it('changes one of two settings', () => {
  const current = { expirationToleranceInHr: 2, certificateValidityInMin: 60 }
  expect(parsePropagationSettings({ certificateValidityInMin: 5 }, current)).toEqual({
    expirationToleranceInHr: 2,
    certificateValidityInMin: 5,
  })
  expect(() => parsePropagationSettings({}, current)).toThrow('none of')
  expect(() => parsePropagationSettings({ certificateValidityInMin: 0 }, current)).toThrow('certificateValidityInMin')
})
