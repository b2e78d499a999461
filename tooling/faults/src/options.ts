import { parseArgs } from 'node:util'
import { insideFlag } from './isolation.ts'

/** What the command was asked for. */
export interface FaultOptions {
  /** Names of faults; all when empty. */
  readonly only: readonly string[]
  readonly json: boolean
  /** How often a connector is killed while it is changed. */
  readonly rounds: number
  readonly inside: boolean
}

/** What the command can do. */
export function usageOf(names: readonly string[]): string {
  return `pnpm faults [options]

  --only a,b     only these of ${names.join(' ')}
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
      rounds: { type: 'string', default: '8' },
      json: { type: 'boolean', default: false },
      [insideFlag.slice(2)]: { type: 'boolean', default: false },
    },
  })
  const only = values.only.split(',').filter(Boolean)
  const unknown = only.filter((name) => !names.includes(name))
  if (unknown.length > 0) throw new TypeError(`--only knows ${names.join(', ')}, not ${unknown.join(', ')}`)
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1_000)
    throw new TypeError(`--rounds takes a number from 1 to 1000, not "${values.rounds}"`)
  return { only, rounds, json: values.json, inside: values[insideFlag.slice(2) as keyof typeof values] === true }
}
