import { parseArgs } from 'node:util'
import { type Victim, victims } from './fault.ts'
import { insideFlag } from './isolation.ts'

/** What the command was asked for. */
export interface FaultOptions {
  /** Names of faults; all when empty. */
  readonly only: readonly string[]
  /** Who suffers; everybody when empty. */
  readonly of: readonly Victim[]
  readonly json: boolean
  /** How often a connector is killed while it is changed. */
  readonly rounds: number
  readonly inside: boolean
  /** Only what the command can do is asked for. */
  readonly help: boolean
}

/** What the command can do. */
export function usageOf(names: readonly string[]): string {
  return `pnpm faults [options]

  --only a,b     only these of ${names.join(' ')}
  --of a,b       only to these of ${victims.join(' ')}
  --rounds N     how often a connector is killed in the middle of changes (8)
  --json         what was seen as JSON instead of a table
`
}

/** @throws TypeError for unknown options and faults, and numbers that are none. */
export function readOptions(args: readonly string[], names: readonly string[]): FaultOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      of: { type: 'string', default: '' },
      rounds: { type: 'string', default: '8' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      [insideFlag.slice(2)]: { type: 'boolean', default: false },
    },
  })
  const only = chosen('only', values.only, names)
  const of = chosen('of', values.of, victims)
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1_000)
    throw new TypeError(`--rounds takes a number from 1 to 1000, not "${values.rounds}"`)
  return { only, of, rounds, json: values.json, help: values.help, inside: values[insideFlag.slice(2) as keyof typeof values] === true }
}

function chosen<Name extends string>(option: string, list: string, known: readonly Name[]): Name[] {
  return list
    .split(',')
    .filter(Boolean)
    .map((word) => {
      const name = known.find((each) => each === word)
      if (name === undefined) throw new TypeError(`--${option} knows ${known.join(', ')}, not ${word}`)
      return name
    })
}
