import { acceptConnectors, createMappingTable, decideHttpAccess, type MappingTable, parseConfiguration } from '@sallyport/cloud-connector'
import { median } from '../statistics.ts'
import { configurationOf, pathOf, virtualHostOf } from './exposed-systems.ts'

/** What a request asks for: something that is exposed, a path that is not, a system that is not. */
export const askedFor = ['admitted', 'path not exposed', 'system not exposed'] as const
export type AskedFor = (typeof askedFor)[number]

/** Nanoseconds of a decision, over few mappings and over many; the ratio is the median of those of each round. */
export interface DecisionTimes {
  readonly asked: AskedFor
  /** Nothing but decisions, so that few mappings stay in the innermost cache; or each after other work, which has displaced them. */
  readonly between: 'nothing' | 'other work'
  readonly few: number
  readonly many: number
  readonly ratio: number
}

const requestsEach = 20_000

/** Times the decisions of the connector. Each request is for another system and path than the one before, and its texts are new, as those of requests are. */
export function measureDecisions(counts: { readonly few: number; readonly many: number }, rounds: number): readonly DecisionTimes[] {
  const tables = { few: tableOf(counts.few), many: tableOf(counts.many) }
  const cases = (['nothing', 'other work'] as const).flatMap((between) => askedFor.map((asked) => ({ asked, between })))
  return cases.map(({ asked, between }) => {
    const time = between === 'nothing' ? timeDecisions : timeSeparateDecisions
    const times: { readonly few: number; readonly many: number }[] = []
    // The first rounds run code that is not compiled yet.
    for (let round = -2; round < rounds; round += 1) {
      const few = time(tables.few, requestsFor(asked, counts.few, round))
      const many = time(tables.many, requestsFor(asked, counts.many, round))
      if (round >= 0) times.push({ few, many })
    }
    const middle = (read: (time: (typeof times)[number]) => number): number => median(times.map(read)) ?? Number.NaN
    return { asked, between, few: middle(({ few }) => few), many: middle(({ many }) => many), ratio: middle(({ few, many }) => many / few) }
  })
}

function tableOf(count: number): MappingTable {
  const { connectors } = parseConfiguration({ text: configurationOf(count, 8000), fileName: 'bench' })
  // Once more, as after a change: what is decided with then is what most processes have.
  const [accepted] = acceptConnectors({ connectors: connectors.map(({ entry }) => entry) }, 'bench').connectors
  return createMappingTable(accepted?.mappings ?? [])
}

interface AskedRequest {
  readonly host: string
  readonly path: string
}

function requestsFor(asked: AskedFor, count: number, round: number): readonly AskedRequest[] {
  return Array.from({ length: requestsEach }, (_, number) => {
    // Steps that have no common divisor with the counts lead to every system, and never to one beside the last.
    const at = (number * 7919 + (round + 2) * 104_729) % count
    const resource = number % 10
    const host = asked === 'system not exposed' ? `other-${virtualHostOf(at)}` : virtualHostOf(at)
    const path =
      asked === 'path not exposed'
        ? `/sap/bc/adt/${number}`
        : resource % 2 === 0
          ? pathOf(at, resource)
          : `${pathOf(at, resource)}/Orders('${number}')`
    return { host: copyOf(host), path: copyOf(path) }
  })
}

/** A text that nobody has hashed yet, in one piece. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

function timeDecisions(table: MappingTable, requests: readonly AskedRequest[]): number {
  let allowed = 0
  const begun = process.hrtime.bigint()
  for (const { host, path } of requests) if (decideHttpAccess(table, { host, port: 80 }, path, undefined).allowed) allowed += 1
  const spent = Number(process.hrtime.bigint() - begun)
  if (allowed !== 0 && allowed !== requests.length) throw new Error(`${allowed} of ${requests.length} requests were admitted`)
  return spent / requests.length
}

/** As much as the caches of one core hold. */
const otherMemory = new Float64Array(524_288)
const separateDecisions = 1_000

function timeSeparateDecisions(table: MappingTable, requests: readonly AskedRequest[]): number {
  const spent: number[] = []
  let sum = 0
  for (const { host, path } of requests.slice(0, separateDecisions)) {
    for (let at = 0; at < otherMemory.length; at += 8) sum += otherMemory[at] ?? 0
    const begun = process.hrtime.bigint()
    decideHttpAccess(table, { host, port: 80 }, path, undefined)
    spent.push(Number(process.hrtime.bigint() - begun))
  }
  if (sum !== 0) throw new Error('the other memory has changed')
  return median(spent) ?? Number.NaN
}
