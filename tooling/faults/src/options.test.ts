import { expect, it } from 'vitest'
import { faultNames } from './all-faults.ts'
import { readOptions } from './options.ts'

it('takes everything unless told', () => {
  expect(readOptions([], faultNames)).toEqual({ only: [], of: [], rounds: 8, json: false, help: false, inside: false })
})

it('takes some of the faults', () => {
  expect(readOptions(['--only', 'kill,torn-writes', '--rounds', '3', '--json', '--of', 'link'], faultNames)).toEqual({
    only: ['kill', 'torn-writes'],
    of: ['link'],
    rounds: 3,
    json: true,
    help: false,
    inside: false,
  })
})

it.each([['--only', 'flood'], ['--of', 'everybody'], ['--rounds', '0'], ['--rounds', 'some'], ['--fast']])('refuses %j', (...words) => {
  expect(() => readOptions(words, faultNames)).toThrow(TypeError)
})
