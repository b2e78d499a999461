import { describe, expect, it } from 'vitest'
import { readOptions } from './options.ts'

describe('the options', () => {
  it('have defaults for a whole run', () => {
    expect(readOptions([])).toEqual({
      rounds: 5,
      seconds: 3,
      cases: [],
      contenders: [],
      rathole: undefined,
      chisel: undefined,
      out: undefined,
      pinned: true,
      patient: true,
      namespace: 'own',
    })
  })

  it('choose what runs, and how', () => {
    const options = readOptions(['--cases', 'rtt,http', '--rounds', '7', '--no-pin', '--no-namespace', '--impatient', '--rathole', '/r'])
    expect(options).toMatchObject({ cases: ['rtt', 'http'], rounds: 7, pinned: false, namespace: 'none', patient: false, rathole: '/r' })
  })

  it.each([[['--rounds', '0']], [['--seconds', 'x']], [['--unknown']], [['--cases', 'rtt,nonsense']], [['--contenders', 'nobody']]])(
    'refuse %j',
    (args) => {
      expect(() => readOptions(args)).toThrow(TypeError)
    },
  )
})
