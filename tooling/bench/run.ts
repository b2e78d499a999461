import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '@sallyport/real-backends'
import { startBackEnds } from './src/back-ends.ts'
import { bulkLongLink, bulkOne, bulkSixteen, bulkUp } from './src/cases/bulk.ts'
import { streamSetUps } from './src/cases/connections.ts'
import { idleMemory, stalledMemory } from './src/cases/memory.ts'
import { besideBulk, roundTrip } from './src/cases/round-trip.ts'
import { propagatedRequests, proxiedRequests, proxiedTlsRequests, smallRequests } from './src/cases/wrk.ts'
import { createCertificates, createTenant } from './src/certificates.ts'
import { bareTunnel } from './src/contenders/bare-tunnel.ts'
import { createChisel } from './src/contenders/chisel.ts'
import { direct } from './src/contenders/direct.ts'
import { haproxy } from './src/contenders/haproxy.ts'
import { nginx } from './src/contenders/nginx.ts'
import { createRathole } from './src/contenders/rathole.ts'
import { sallyport, sallyportSocks } from './src/contenders/sallyport.ts'
import { ssh } from './src/contenders/ssh.ts'
import { carriedBy, measure } from './src/measure.ts'
import { prepareNamespace, runInNamespace } from './src/namespace.ts'
import { type BenchOptions, readOptions, usage } from './src/options.ts'
import { setPinning, stopAll } from './src/processes.ts'
import type { BenchRecord } from './src/record.ts'
import { formatReport } from './src/report.ts'

const allCases = [
  bulkOne,
  bulkSixteen,
  bulkUp,
  streamSetUps,
  smallRequests,
  roundTrip,
  proxiedRequests,
  proxiedTlsRequests,
  propagatedRequests,
  besideBulk,
  bulkLongLink,
  idleMemory,
  stalledMemory,
]

// Back ends keep the process alive otherwise.
process.exit(await main())

async function main(): Promise<number> {
  let options: BenchOptions
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return 2
  }
  const missing = ['gcc', 'openssl', 'iperf3', 'wrk', 'nginx', 'taskset'].filter((program) => findProgram(program) === undefined)
  if (process.platform !== 'linux' || missing.length > 0) {
    process.stderr.write(`the benchmark runs on Linux with gcc, openssl, iperf3, wrk, nginx and taskset; missing: ${missing.join(', ')}\n`)
    return 2
  }
  if (options.namespace === 'own') {
    const code = runInNamespace()
    if (code !== undefined) return code
    process.stderr.write('no network namespace of its own: that takes root; other traffic and the settings of this machine take part\n')
  }
  return await runBench(options)
}

async function runBench(options: BenchOptions): Promise<number> {
  const ownsLoopback = options.namespace === 'inside'
  if (ownsLoopback) prepareNamespace()
  if (options.pinned && cpus().length < 2) process.stderr.write('one CPU only: both sides share it\n')
  setPinning(options.pinned && cpus().length >= 2)

  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const cleanUp = (): void => {
    stopAll()
    rmSync(folder, { recursive: true, force: true })
  }
  // The net below the `finally` of each measurement: whatever ends this process ends what it has started.
  process.once('exit', cleanUp)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

  const contenders = chooseContenders(options)
  const cases = allCases.filter(({ name }) => options.cases.length === 0 || options.cases.includes(name))
  const loadTool = join(folder, 'loadtool')
  execFileSync('gcc', ['-O2', '-pthread', '-o', loadTool, join(import.meta.dirname, 'tools', 'loadtool.c')])
  const certificates = createCertificates()
  const backEnds = await startBackEnds({ loadTool, folder, certificates })
  const tenant = createTenant()
  const bench = { backEnds, loadTool, loadEnv: {}, seconds: options.seconds, tenant }
  const context = { bench, folder, certificates, tenant, ownsLoopback, patient: options.patient }

  const records: BenchRecord[] = []
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const benchCase of cases) {
      for (const contender of contenders.filter((each) => carriedBy(each, benchCase) !== undefined)) {
        const record = await measure(context, benchCase, contender, round)
        records.push(record)
        if (options.out !== undefined) appendFileSync(options.out, `${JSON.stringify({ unit: benchCase.unit, ...record })}\n`)
        const said = record.sample === undefined ? `failed: ${record.error}` : `${record.sample.value.toFixed(1)} ${benchCase.unit}`
        const disturbed = record.disturbed ? `, disturbed: others used ${record.otherPercent} %` : ''
        process.stderr.write(`${round}/${options.rounds} ${benchCase.name} ${contender.name}: ${said}${disturbed}\n`)
      }
    }
  }
  process.stdout.write(formatReport(cases, records))
  return records.some(({ error }) => error !== undefined) ? 1 : 0
}

function chooseContenders(options: BenchOptions) {
  const all = [
    sallyport,
    sallyportSocks,
    bareTunnel,
    createRathole(options.rathole),
    createChisel(options.chisel),
    ssh,
    haproxy,
    nginx,
    direct,
  ]
  return all.filter((contender) => {
    if (options.contenders.length > 0 && !options.contenders.includes(contender.name)) return false
    const missing = contender.missing()
    process.stdout.write(
      `${contender.name}: ${missing === undefined ? contender.version() || 'takes part' : `does not take part: ${missing}`}\n`,
    )
    return missing === undefined
  })
}
