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
/** Texts of requests are made shortly before they are decided, as a connector has just read those that it decides. */
const requestsAtOnce = 200

/** Times the decisions of the connector. Each request is for a system and a path that have nothing to do with those before, and its texts are new. */
export function measureDecisions(counts: { readonly few: number; readonly many: number }, rounds: number): readonly DecisionTimes[] {
  const tables = { few: tableOf(counts.few), many: tableOf(counts.many) }
  const cases = (['nothing', 'other work'] as const).flatMap((between) => askedFor.map((asked) => ({ asked, between })))
  // A connector has met all cases by the time that its code is compiled.
  for (const asked of askedFor) for (const size of ['few', 'many'] as const) timeDecisions(tables[size], asked, counts[size], -3)
  return cases.map(({ asked, between }) => {
    const time = between === 'nothing' ? timeDecisions : timeSeparateDecisions
    const times: { readonly few: number; readonly many: number }[] = []
    // The first rounds run code that is not compiled yet.
    for (let round = -2; round < rounds; round += 1) {
      const few = time(tables.few, asked, counts.few, round)
      const many = time(tables.many, asked, counts.many, round)
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

function requestFor(asked: AskedFor, count: number, round: number, number: number): AskedRequest {
  const at = scattered(number, round) % count
  const resource = scattered(number, round + 1) % 10
  const host = asked === 'system not exposed' ? `other-${virtualHostOf(at)}` : virtualHostOf(at)
  const path =
    asked === 'path not exposed'
      ? `/sap/bc/adt/${number}`
      : resource % 2 === 0
        ? pathOf(at, resource)
        : `${pathOf(at, resource)}/Orders('${number}')`
  return { host: copyOf(host), path: copyOf(path) }
}

/** A number without order, always the same for the same two, so that nothing foresees which system is next. */
function scattered(number: number, round: number): number {
  const mixed = Math.imul(number + 20_011 * (round + 5), 0x9e3779b1)
  return (Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) >>> 8) | 0
}

/** A text that nobody has hashed yet, in one piece. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

function timeDecisions(table: MappingTable, asked: AskedFor, count: number, round: number): number {
  let allowed = 0
  let spent = 0
  for (let from = 0; from < requestsEach; from += requestsAtOnce) {
    const requests = Array.from({ length: requestsAtOnce }, (_, number) => requestFor(asked, count, round, from + number))
    const begun = process.hrtime.bigint()
    for (const { host, path } of requests) if (decideHttpAccess(table, { host, port: 80 }, path, undefined).allowed) allowed += 1
    spent += Number(process.hrtime.bigint() - begun)
  }
  if (allowed !== (asked === 'admitted' ? requestsEach : 0)) throw new Error(`${allowed} of ${requestsEach} requests were admitted`)
  return spent / requestsEach
}

/** As much as the caches of one core hold. */
const otherMemory = new Float64Array(524_288)
const separateDecisions = 1_000

function timeSeparateDecisions(table: MappingTable, asked: AskedFor, count: number, round: number): number {
  const spent: number[] = []
  let sum = 0
  for (let number = 0; number < separateDecisions; number += 1) {
    const { host, path } = requestFor(asked, count, round, number)
    for (let at = 0; at < otherMemory.length; at += 8) sum += otherMemory[at] ?? 0
    const begun = process.hrtime.bigint()
    decideHttpAccess(table, { host, port: 80 }, path, undefined)
    spent.push(Number(process.hrtime.bigint() - begun))
  }
  if (sum !== 0) throw new Error('the other memory has changed')
  return median(spent) ?? Number.NaN
}
