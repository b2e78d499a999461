import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { zipSync } from 'fflate'
import { createAdministrationClient } from './src/access/administration-client.ts'
import { measureDecisions } from './src/access/decisions.ts'
import { mappingsOf, virtualHostOf, pathOf, writeExposedSystems } from './src/access/exposed-systems.ts'
import { largestFile, memoryOf, requestEach, sallyport, serve, startBackend, untilServed } from './src/access/installation.ts'
import { cpuMicroseconds, processTree } from './src/process-tree.ts'
import { setPinning, stopAll } from './src/processes.ts'
import { median } from './src/statistics.ts'

/**
 * `pnpm bench:access [--rounds 15] [--starts 3] [--port-offset 3000]`: what many mappings cost a connector, beside few: the time of a decision, of a start until
 * the first request is served, in both ways of configuration, of a change and of lists in the administration, and memory. Few and many take turns.
 */
const usage = `pnpm bench:access [options]

  --rounds N        rounds of decisions (15)
  --starts N        starts of each kind (3)
  --port-offset N   moves every port (3000)
`
const values = readValues()
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const counts = { few: 10, many: 10_000 }
const sizes = ['few', 'many'] as const
type Size = (typeof sizes)[number]
const offset = Number(values['port-offset'])
const proxyPort = 20_003 + offset
/** The administration of the connector that runs, beside that of nobody else. */
const adminPort = 8443 + offset
const requestsEach = 1_500
const startLimitMs = 60_000
const goals = { decisionRatio: 2, startMs: 5_000 }

const modeNames = [
  ['yaml', 'configuration file in YAML'],
  ['json', 'configuration file in JSON'],
  ['administered', 'administered'],
] as const
type Mode = (typeof modeNames)[number][0]

const folder = mkdtempSync(join(tmpdir(), 'sallyport-access-'))
process.once('exit', () => {
  stopAll()
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
setPinning(false)

process.exit(await measureAll())

function readValues() {
  try {
    const options = {
      rounds: { type: 'string', default: '15' },
      starts: { type: 'string', default: '3' },
      'port-offset': { type: 'string', default: '3000' },
      help: { type: 'boolean', short: 'h', default: false },
    } as const
    return parseArgs({ options }).values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

async function measureAll(): Promise<number> {
  const decisions = measureDecisions(counts, Number(values.rounds))
  process.stdout.write(
    `\n| decision | between them | ${counts.few} mappings, ns | ${counts.many} mappings, ns | ratio |\n|---|---|---|---|---|\n`,
  )
  for (const { asked, between, few, many, ratio } of decisions)
    process.stdout.write(`| ${asked} | ${between} | ${few.toFixed(0)} | ${many.toFixed(0)} | ${ratio.toFixed(2)} |\n`)

  const starts = await measureStarts()
  process.stdout.write(
    `\n| start until the first request is served | ${counts.few} mappings, ms | ${counts.many} mappings, ms | memory then, MB | at most, MB |\n|---|---|---|---|---|\n`,
  )
  for (const { few, many, mode } of starts.modes)
    process.stdout.write(
      `| ${mode} | ${few.ms.toFixed(0)} | ${many.ms.toFixed(0)} | ${few.heldMb} and ${many.heldMb} | ${few.mostMb} and ${many.mostMb} |\n`,
    )
  process.stdout.write(
    `\n| request, each to another system | ${counts.few} mappings, µs | ${counts.many} mappings, µs | CPU of the connector, µs |\n|---|---|---|---|\n`,
  )
  for (const { few, many, mode } of starts.modes)
    process.stdout.write(
      `| ${mode} | ${few.requestUs.toFixed(0)} | ${many.requestUs.toFixed(0)} | ${few.requestCpuUs.toFixed(0)} and ${many.requestCpuUs.toFixed(0)} |\n`,
    )
  process.stdout.write(`\n| administration | ${counts.few} mappings, ms | ${counts.many} mappings, ms |\n|---|---|---|\n`)
  for (const [what, few, many] of starts.administration) process.stdout.write(`| ${what} | ${few} | ${many} |\n`)

  const slowest = Math.max(...starts.modes.map(({ many }) => many.ms))
  const worst = Math.max(...decisions.filter(({ between }) => between === 'nothing').map(({ ratio }) => ratio))
  const reached = worst <= goals.decisionRatio && slowest < goals.startMs
  process.stdout.write(
    `\ngoals (decision within ${goals.decisionRatio}×: ${worst.toFixed(2)}; start under ${goals.startMs} ms: ${slowest.toFixed(0)}): ${reached ? 'reached' : 'missed'}\n`,
  )
  return reached ? 0 : 1
}

interface Started {
  readonly ms: number
  /** Of one request through proxy, tunnel and connector, each on a connection of its own. */
  readonly requestUs: number
  readonly requestCpuUs: number
  readonly heldMb: number
  readonly mostMb: number
}

async function measureStarts() {
  const cloud = join(folder, 'cloud')
  const server = join(folder, 'server.yaml')
  const subaccounts = ['filed', 'administered-few', 'administered-many']
  writeFileSync(server, `version: 1\nsubaccounts:\n${subaccounts.map((id) => `  - { id: ${id} }\n`).join('')}`)
  const cloudSide = serve(cloud, 'token-service,connectivity-proxy', '--config', server, '--port-offset', String(offset))
  const backend = await startBackend()
  await untilReady(cloud)
  const tokens = new Map<string, string>()
  for (const id of subaccounts) {
    const issued = await sallyport<{ access_token: string }>(cloud, 'token', 'issue', '--client', 'connectivity', '--tenant', id)
    tokens.set(id, issued.access_token)
  }
  const filed = join(folder, 'filed')
  await pair(cloud, filed)
  const files = {
    few: writeExposedSystems(join(folder, 'few'), counts.few, backend),
    many: writeExposedSystems(join(folder, 'many'), counts.many, backend),
  }
  const administration: Record<Size, readonly string[]> = { few: [], many: [] }
  for (const size of sizes) administration[size] = await administer(cloud, size, backend, tokens.get(`administered-${size}`) ?? '')

  const samples: Record<Mode, Record<Size, Started[]>> = {
    yaml: { few: [], many: [] },
    json: { few: [], many: [] },
    administered: { few: [], many: [] },
  }
  for (let round = 0; round < Number(values.starts); round += 1) {
    for (const size of sizes) {
      for (const form of ['yaml', 'json'] as const)
        samples[form][size].push(await startOnce(filed, size, tokens.get('filed') ?? '', '--config', files[size][form]))
      samples.administered[size].push(await startOnce(join(folder, `administered-${size}`), size, tokens.get(`administered-${size}`) ?? ''))
    }
  }
  await cloudSide.stop()
  const middle = (each: readonly Started[]): Started => {
    const read = (part: keyof Started): number => median(each.map((sample) => sample[part])) ?? Number.NaN
    return {
      ms: read('ms'),
      requestUs: read('requestUs'),
      requestCpuUs: read('requestCpuUs'),
      heldMb: read('heldMb'),
      mostMb: read('mostMb'),
    }
  }
  const modes = modeNames.map(([mode, name]) => ({
    mode: name,
    few: middle(samples[mode].few),
    many: middle(samples[mode].many),
  }))
  const names = ['one change', 'document as written, kB', 'list of all mappings', 'one mapping', 'import of all mappings as an archive']
  return { modes, administration: names.map((name, at) => [name, administration.few[at] ?? '', administration.many[at] ?? ''] as const) }
}

/** Starts a connector that is set up, until its last mapping is served, and ends it. */
async function startOnce(data: string, size: Size, token: string, ...words: readonly string[]): Promise<Started> {
  const begun = performance.now()
  const connector = serve(data, 'connector', '--port-offset', String(offset), ...words)
  try {
    await served(size, token)
    const ms = performance.now() - begun
    const urls = Array.from({ length: requestsEach }, (_, number) => urlOf((number * 7919) % counts[size], number % 10))
    const proxy = { port: proxyPort, token }
    // The first ones run code that is not compiled yet.
    await requestEach(proxy, urls)
    const before = cpuMicroseconds(processTree(connector.pid))
    const sent = performance.now()
    await requestEach(proxy, urls)
    const requestUs = ((performance.now() - sent) * 1_000) / urls.length
    const requestCpuUs = (cpuMicroseconds(processTree(connector.pid)) - before) / urls.length
    process.stderr.write(`start with ${counts[size]} mappings: ${ms.toFixed(0)} ms\n`)
    return { ms, requestUs, requestCpuUs, ...memoryOf(connector.pid) }
  } finally {
    await connector.stop()
  }
}

function served(size: Size, token: string): Promise<number> {
  const last = counts[size] - 1
  return untilServed({ port: proxyPort, token }, urlOf(last, 9), startLimitMs)
}

function urlOf(at: number, resource: number): string {
  return `http://${virtualHostOf(at)}:80${pathOf(at, resource)}`
}

/** Sets an administered connector up through its administration, and times that on the way. */
async function administer(cloud: string, size: Size, backend: number, token: string): Promise<readonly string[]> {
  const data = join(folder, `administered-${size}`)
  const connector = serve(data, 'connector', '--port-offset', String(offset))
  await untilReady(data)
  const initial = readFileSync(join(data, 'connector', 'initial-password'), 'utf8').trim()
  using client = createAdministrationClient({
    port: adminPort,
    authority: readFileSync(join(data, 'ca.crt'), 'utf8'),
    user: `Administrator:${initial}`,
  })
  const password = 'a password for the benchmark'
  await client.call('PUT', '/api/v1/configuration/connector/authentication/basic', { oldPassword: initial, newPassword: password })
  client.logOn(`Administrator:${password}`)
  await client.call('POST', '/api/v1/configuration/connector/haRole', 'master')
  const code = await sallyport<{ authenticationData: string }>(
    cloud,
    'connector',
    'code',
    '--subaccount',
    `administered-${size}`,
    '--authentication-data',
  )
  const added = await client.call('POST', '/api/v1/configuration/subaccounts', { authenticationData: code.authenticationData })
  const { regionHost, subaccount } = JSON.parse(added.toString()) as { regionHost: string; subaccount: string }
  const mappings = mappingsOf(counts[size], backend)
  const archive = zipSync({ 'access-control.json': Buffer.from(JSON.stringify({ version: 1, systemMappings: mappings })) })
  const form = new FormData()
  form.append('archive', new Blob([new Uint8Array(archive)]), 'access-control.zip')
  const imported = await timed(() => client.call('POST', `/api/private/v1/subaccounts/${regionHost}/${subaccount}/accessControl`, form))
  await served(size, token)
  const path = `/api/v1/configuration/subaccounts/${regionHost}/${subaccount}/systemMappings`
  const { creationDateMs: _date, resources: _resources, ...first } = mappings[0] ?? {}
  const one = `${path}/${virtualHostOf(0)}:80`
  const change = await timed((at) => client.call('PUT', one, { ...first, description: `change ${at}` }), 9)
  const list = await timed(() => client.call('GET', path), 5)
  const single = await timed(() => client.call('GET', one), 9)
  await connector.stop()
  return [change, (largestFile(join(data, 'connector')) / 1_000).toFixed(0), list, single, imported]
}

/** Median of so many times, in ms. */
async function timed(work: (at: number) => Promise<unknown>, times = 1): Promise<string> {
  const spent: number[] = []
  for (let at = 0; at < times; at += 1) {
    const begun = performance.now()
    await work(at)
    spent.push(performance.now() - begun)
  }
  return (median(spent) ?? Number.NaN).toFixed(times === 1 ? 0 : 1)
}

/** Pairs a connector that a file configures. */
async function pair(cloud: string, data: string): Promise<void> {
  const { code, server } = await sallyport<{ code: string; server: string }>(cloud, 'connector', 'code', '--subaccount', 'filed')
  const file = join(folder, 'code')
  writeFileSync(file, code)
  await sallyport(data, 'connector', 'init', '--server', server, '--authority', join(cloud, 'ca.crt'), '--code-file', file)
}

/** Waits until everything that runs with a folder is ready. */
async function untilReady(data: string): Promise<void> {
  for (const deadline = performance.now() + startLimitMs; performance.now() < deadline;) {
    const status = await sallyport<{ ready: boolean; parts: readonly unknown[] }>(data, 'status').catch(() => undefined)
    if (status?.ready === true && status.parts.length > 0) return
  }
  throw new Error(`nothing is ready in ${data}`)
}
