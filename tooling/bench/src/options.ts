import { parseArgs } from 'node:util'
import { insideFlag } from './namespace.ts'

export interface BenchOptions {
  readonly rounds: number
  readonly seconds: number
  /** Names; empty means all. */
  readonly cases: readonly string[]
  readonly contenders: readonly string[]
  readonly rathole: string | undefined
  readonly chisel: string | undefined
  /** File that gets one line of JSON for every sample. */
  readonly out: string | undefined
  readonly pinned: boolean
  /** Wait until others leave the machine alone, and repeat what they disturb. */
  readonly patient: boolean
  readonly namespace: 'own' | 'inside' | 'none'
}

const caseNames = [
  'bulk1',
  'bulk16',
  'bulk1-up',
  'setups',
  'requests',
  'rtt',
  'http',
  'http-tls',
  'http-propagated',
  'beside',
  'bulk-long',
  'idle',
  'stalled',
]
const contenderNames = ['sallyport', 'sallyport-socks', 'bare-tunnel', 'rathole', 'chisel', 'ssh', 'haproxy', 'nginx', 'direct']

export const usage: string = `pnpm bench [options]

  --rounds N          rounds, every contender once in each (5)
  --seconds N         duration of one measurement (3)
  --cases a,b         only these of ${caseNames.join(' ')}
  --contenders a,b    only these of ${contenderNames.join(' ')}
  --rathole PATH      where rathole is
  --chisel PATH       where chisel is
  --out FILE          append one line of JSON per sample
  --impatient         do not wait for others on the machine, nor repeat what they disturbed
  --no-pin            do not tie each side to a core
  --no-namespace      do not use a network namespace of its own
`

/** @throws TypeError for unknown options and numbers that are none. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      cases: { type: 'string', default: '' },
      contenders: { type: 'string', default: '' },
      rathole: { type: 'string' },
      chisel: { type: 'string' },
      out: { type: 'string' },
      pin: { type: 'boolean', default: true },
      impatient: { type: 'boolean', default: false },
      namespace: { type: 'boolean', default: true },
      [insideFlag.slice(2)]: { type: 'boolean', default: false },
    },
  })
  return {
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    cases: chosen('cases', values.cases, caseNames),
    contenders: chosen('contenders', values.contenders, contenderNames),
    rathole: values.rathole,
    chisel: values.chisel,
    out: values.out,
    pinned: values.pin,
    patient: !values.impatient,
    namespace: values[insideFlag.slice(2) as keyof typeof values] === true ? 'inside' : values.namespace ? 'own' : 'none',
  }
}

function chosen(option: string, list: string, known: readonly string[]): string[] {
  const names = list.split(',').filter(Boolean)
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new TypeError(`--${option} knows ${known.join(', ')}, not ${unknown.join(', ')}`)
  return names
}

function positive(name: string, text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new TypeError(`--${name} takes a number above 0, not "${text}"`)
  return number
}
