import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findProgram } from '@sallyport/real-backends'
import { createTestIssuer } from '@sallyport/test-fixtures'
import { toleratedDisturbancePercent, untilQuiet, watchDisturbance } from './src/disturbance.ts'
import { destinationOf, prepareDataSet, subaccountOf } from './src/find/data-set.ts'
import { cpuMicroseconds, processTree } from './src/process-tree.ts'
import { run, type Running, start, stopAll } from './src/processes.ts'
import type { BareSettings } from './src/roles/bare-fastify.ts'
import type { FindServiceSettings } from './src/roles/find-service.ts'
import { median } from './src/statistics.ts'

/**
 * `pnpm bench:find [--rounds 5] [--seconds 3] [--data folder] [--prepare]`: how many look-ups per second the destination service answers, beside a bare route
 * of the same framework that answers the same bytes, with one destination and with a million. The load has CPU 0, the service CPU 1. `--data` keeps the
 * million for the next run; `--prepare` only writes it.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    data: { type: 'string' },
    prepare: { type: 'boolean', default: false },
  },
})
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
const folder = mkdtempSync(join(tmpdir(), 'sallyport-find-'))
const data = values.data ?? folder
process.once('exit', () => {
  stopAll()
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const size = { subaccounts: 1_000, destinations: 1_000 }
const spread = { subaccounts: 20, destinations: 50 }
const connections = 64
/** Others may be busy; then it goes on nevertheless, and the round is marked. */
const quietWaitMs = 4_000
const client = 'sb-bench!b1'
const issuer = createTestIssuer({ clientId: client })
const exp = Math.floor(Date.now() / 1000) + 86_400

mkdirSync(data, { recursive: true })
const [oneFile, thousandFile, millionFile] = [join(folder, 'one.db'), join(folder, 'thousand.db'), join(data, 'million.db')]
await prepareDataSet(oneFile, { subaccounts: 1, destinations: 1 })
await prepareDataSet(thousandFile, spread)
await prepareDataSet(millionFile, size)
if (values.prepare) process.exit(0)
process.exit(await measureAll())

interface Sample {
  readonly rate: number
  /** Microseconds of the service for each. */
  readonly cpu: number
  readonly disturbed: boolean
}

interface Contender {
  readonly name: string
  readonly role: string
  readonly settings: FindServiceSettings | BareSettings
  readonly requests: string
}

async function measureAll(): Promise<number> {
  const single = requestsFile('single', { subaccounts: 1, destinations: 1 })
  const service = (file: string): FindServiceSettings => ({ file, issuer: { issuer: issuer.issuer, keys: issuer.keys }, client })
  const settings = await answerToRepeat(service(oneFile))
  const contenders: readonly Contender[] = [
    { name: 'bare route', role: 'bare-fastify', settings, requests: single },
    { name: 'one destination', role: 'find-service', settings: service(oneFile), requests: single },
    { name: 'the same among a million', role: 'find-service', settings: service(millionFile), requests: single },
    { name: 'each of a thousand', role: 'find-service', settings: service(thousandFile), requests: requestsFile('spread', spread) },
    { name: 'a thousand of a million', role: 'find-service', settings: service(millionFile), requests: requestsFile('spread', spread) },
  ]
  const samples = new Map(contenders.map(({ name }) => [name, [] as Sample[]]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of contenders) {
      const sample = await measure(contender)
      samples.get(contender.name)?.push(sample)
      process.stderr.write(`${round}/${rounds} ${contender.name}: ${Math.round(sample.rate)}/s${sample.disturbed ? ', disturbed' : ''}\n`)
    }
  }
  const [bare, one, million, thousand, thousandOfMillion] = contenders.map(({ name }) => samples.get(name) ?? [])
  process.stdout.write(
    '| look-ups | 1/s | CPU µs each | against the bare route | against one destination | disturbed rounds |\n|---|---|---|---|---|---|\n',
  )
  for (const { name } of contenders) {
    const own = samples.get(name) ?? []
    const cells = [
      name,
      Math.round(median(own.map(({ rate }) => rate)) ?? 0).toLocaleString('en'),
      (median(own.map(({ cpu }) => cpu)) ?? 0).toFixed(1),
      ratio(own, bare).toFixed(2),
      ratio(own, one).toFixed(2),
      `${own.filter(({ disturbed }) => disturbed).length} of ${own.length}`,
    ]
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
  }
  const reached = ratio(one, bare) >= 0.5 && ratio(million, one) >= 0.8 && ratio(thousandOfMillion, thousand) >= 0.8
  process.stdout.write(`a thousand of a million against each of a thousand: ${ratio(thousandOfMillion, thousand).toFixed(2)}\n`)
  process.stdout.write(`goals (half of the bare route; a million at most 20 % slower): ${reached ? 'reached' : 'missed'}\n`)
  return reached ? 0 : 1
}

/** Rounds are compared with themselves, because what disturbs one contender of a round mostly disturbs the next one, too. */
function ratio(own: readonly Sample[] = [], other: readonly Sample[] = []): number {
  return median(own.map(({ rate }, at) => rate / (other[at]?.rate ?? Number.NaN))) ?? Number.NaN
}

function startRole({ role, settings }: Pick<Contender, 'role' | 'settings'>): Running {
  const file = join(folder, `${role}.json`)
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 })
  const flags = [...process.execArgv, '--max-semi-space-size=32', join(import.meta.dirname, 'src', 'roles', `${role}.ts`), file]
  return start({ side: 'connector', command: process.execPath, args: flags })
}

async function measure(contender: Contender): Promise<Sample> {
  const running = startRole(contender)
  try {
    const { port } = await running.answer('port')
    const load = (duration: number): Promise<string> =>
      run(
        {
          side: 'cloud',
          command: findProgram('wrk') ?? 'wrk',
          args: [
            '-t1',
            `-c${connections}`,
            `-d${duration}s`,
            '-s',
            join(import.meta.dirname, 'tools', 'find.lua'),
            `http://127.0.0.1:${String(port)}`,
          ],
          env: { BENCH_REQUESTS: contender.requests },
        },
        (duration + 20) * 1_000,
      )
    await load(2)
    await untilQuiet(quietWaitMs)
    const look = watchDisturbance()
    const before = cpuMicroseconds(processTree(running.pid))
    const result = await load(seconds)
    const spent = cpuMicroseconds(processTree(running.pid)) - before
    const failed = /Non-2xx or 3xx responses: (\d+)/.exec(result)?.[1] ?? /Socket errors: (.*)/.exec(result)?.[1]
    if (failed !== undefined) throw new Error(`look-ups failed: ${failed}`)
    const operations = Number(/(\d+) requests in/.exec(result)?.[1])
    const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(result)?.[1])
    return { rate, cpu: spent / operations, disturbed: look().otherPercent > toleratedDisturbancePercent }
  } finally {
    await running.stop()
  }
}

/** What the service answers, for the bare route. */
async function answerToRepeat(settings: FindServiceSettings): Promise<BareSettings> {
  const running = startRole({ role: 'find-service', settings })
  try {
    const { port } = await running.answer('port')
    const answer = await fetch(`http://127.0.0.1:${String(port)}${pathOf(0)}`, { headers: { authorization: `Bearer ${tokenOf(0)}` } })
    const body = await answer.text()
    if (answer.status !== 200 || !body.includes('"authTokens":[{"type":"Bearer"'))
      throw new Error(`the service answered ${answer.status}: ${body}`)
    const own = new Set(['connection', 'keep-alive', 'date', 'content-length', 'transfer-encoding'])
    return { headers: Object.fromEntries([...answer.headers].filter(([name]) => !own.has(name))), body }
  } finally {
    await running.stop()
  }
}

function requestsFile(name: string, of: { readonly subaccounts: number; readonly destinations: number }): string {
  const file = join(folder, `${name}.requests`)
  const tokens = Array.from({ length: of.subaccounts }, (_, at) => tokenOf(at))
  const lines = Array.from({ length: of.destinations }, (_, at) => tokens.map((token) => `${pathOf(at)} ${token}\n`)).flat()
  writeFileSync(file, lines.join(''), { mode: 0o600 })
  return file
}

function pathOf(at: number): string {
  return `/destination-configuration/v1/destinations/${destinationOf(at)}`
}

function tokenOf(at: number): string {
  const subaccount = subaccountOf(at)
  return issuer.technical({
    cid: client,
    client_id: client,
    azp: client,
    aud: [client],
    zid: subaccount,
    ext_attr: { enhancer: 'XSUAA', zdn: subaccount, subaccountid: subaccount },
    exp,
  })
}
