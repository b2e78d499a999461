import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logSettingsSchema, parseRolloverThreshold } from '@sallyport/admin-api'
import { createRfcCaller } from '@sallyport/conformance/cases'
import { silentLogger } from '@sallyport/core'
import {
  createHttpBackend,
  createManualClock,
  createTestCa,
  createTestIssuer,
  type HttpBackend,
  type ManualClock,
} from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type ConnectorTraces,
  openConnectorTraces,
  readTrafficPermission,
  type TraceSettings,
  type TrafficPermission,
} from '../src/index.ts'
import { createTraceFile } from '../src/trace/trace-file.ts'
import { mappingTo, startConnectorBench, subaccount } from './connector-bench.ts'
import { startScriptedGateway } from './scripted-gateway.ts'

const holder = { subaccount, locationId: '' }
const settingsWith = (log: object = {}, traffic: object = {}): TraceSettings => ({
  log: logSettingsSchema.parse(log),
  traffic: [{ ...holder, trafficTrace: false, payloadSncTrace: false, ...traffic }],
})
const cleanups: (() => PromiseLike<unknown> | void)[] = []
let folder: string
let clock: ManualClock
let permission: TrafficPermission
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-trace-'))
  clock = createManualClock()
  permission = { allowed: true }
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  rmSync(folder, { recursive: true, force: true })
})

async function open(settings: TraceSettings = settingsWith()): Promise<ConnectorTraces> {
  const traces = await openConnectorTraces({ folder, settings, permission: async () => permission, clock, log: silentLogger })
  cleanups.push(() => traces.close())
  return traces
}
async function backendWith(options: Partial<Parameters<typeof createHttpBackend>[0]> = {}): Promise<HttpBackend> {
  const backend = await createHttpBackend({ answer: () => ({ body: 'the answer' }), ...options })
  cleanups.push(() => backend[Symbol.asyncDispose]())
  return backend
}
async function startBench(
  traces: ConnectorTraces,
  connector: unknown,
  more: object = {},
): Promise<Awaited<ReturnType<typeof startConnectorBench>>> {
  const bench = await startConnectorBench({ traces, connector, ...more })
  cleanups.push(() => bench[Symbol.asyncDispose]())
  return bench
}
async function textOf(traces: ConnectorTraces, name: string): Promise<string> {
  await traces.flushed()
  return existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : ''
}

describe('trace files', () => {
  it('CC-151 keep twenty full ones, the newest first, and lose the oldest', async () => {
    const path = join(folder, 'scc_core.trc')
    const file = createTraceFile({ path, rules: () => ({ thresholdBytes: 100, cleanupDays: 0 }), clock, log: silentLogger })
    cleanups.push(() => file.close())
    for (let each = 1; each <= 25; each++) {
      file.write(`${String(each).padStart(79, '0')}\n`)
      await file.flushed()
    }
    const names = readdirSync(folder)
    expect(names).toHaveLength(21)
    const numberIn = (name: string): number => Number(readFileSync(join(folder, name), 'utf8'))
    expect([numberIn('scc_core.trc'), numberIn('scc_core.trc.1'), numberIn('scc_core.trc.20')]).toEqual([25, 24, 5])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('go on where they were, and go after their days', async () => {
    const path = join(folder, 'scc_core.trc')
    const rules = { thresholdBytes: 10, cleanupDays: 0 }
    const first = createTraceFile({ path, rules: () => rules, clock, log: silentLogger })
    first.write('one\n')
    await first.close()
    const second = createTraceFile({ path, rules: () => rules, clock, log: silentLogger })
    cleanups.push(() => second.close())
    second.write('two\n')
    await second.flushed()
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
    second.write('three\n')
    await second.flushed()
    expect(readdirSync(folder)).toEqual(['scc_core.trc', 'scc_core.trc.1'])
    utimesSync(`${path}.1`, clock.now() / 1000 - 15 * 86_400, clock.now() / 1000 - 15 * 86_400)
    rules.cleanupDays = 14
    second.write('x')
    await second.flushed()
    expect(readdirSync(folder)).toEqual(['scc_core.trc'])
  })

  it('take the threshold with its unit', () => {
    expect(['75 MB', '75MB', '75', '0 MB', '75 kB', '10001 MB'].map(parseRolloverThreshold)).toEqual([75, 75, ...Array(4).fill(undefined)])
  })
})

describe('the trace of the connector', () => {
  it('has columns, and levels that change while it runs', async () => {
    const traces = await open()
    traces.log.debug({}, 'not seen')
    traces.log.info({ correlationId: 'corr-1', virtualHost: 'a#b\nc' }, 'tunnel open')
    await traces.apply(settingsWith({ sccLogLevel: 'DEBUG', otherLogLevel: 'ERROR' }))
    traces.log.child({ part: 'x' }).debug({}, 'seen')
    traces.otherLog.info({}, 'not seen')
    await traces.apply(settingsWith({ sccLogLevel: 'OFF' }))
    traces.log.error({}, 'not seen')
    const lines = (await textOf(traces, 'scc_core.trc')).trimEnd().split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^2030-01-01 00:00:00,000 \+0000#INFO #cloud-connector +# +#corr-1 +#tunnel open \{"virtualHost":"a#b\\nc"\}$/),
      expect.stringMatching(/#DEBUG#cloud-connector +# +# +#seen \{"part":"x"\}$/),
    ])
  })

  it('holds no payload, no header and no token of what passes, even at its finest level', async () => {
    const issuer = createTestIssuer()
    const token = issuer.user('jane@acme.test')
    const traces = await open(settingsWith({ sccLogLevel: 'ALL', otherLogLevel: 'ALL', cpicTraceLevel: 2 }))
    const backend = await backendWith()
    const bench = await startBench(traces, { mappings: [mappingTo(backend.url)] })
    await bench.request({ method: 'POST', body: 'the question', headers: { cookie: 'id=private' }, principal: { kind: 'business', token } })
    await traces.flushed()
    const everything = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    for (const secret of ['the question', 'the answer', 'private', token.slice(0, 40)]) expect(everything.join('')).not.toContain(secret)
  })
})

describe('the TLS trace', () => {
  it('CC-152 begins with the next start, and until then what is set and what is active differ', async () => {
    const ca = createTestCa()
    const server = ca.issue({ subject: '/CN=localhost' })
    const backend = await backendWith({ tls: { certificate: server.certificate, key: server.key } })
    const connector = { mappings: [mappingTo(backend.url)], backendTrust: { authorities: [{ file: 'ca.crt' }] } }
    const traces = await open()
    const bench = await startBench(traces, connector, { files: { 'ca.crt': ca.certificate } })
    await traces.apply(settingsWith({ tlsTrace: true }))
    expect([traces.settings.log.tlsTrace, traces.isTlsTraceActive]).toEqual([true, false])
    expect((await bench.request({})).status).toBe(200)
    expect(await textOf(traces, 'scc_core.trc')).not.toContain('TLS handshake')

    const restarted = await open(traces.settings)
    expect([restarted.settings.log.tlsTrace, restarted.isTlsTraceActive]).toEqual([true, true])
    const next = await startBench(restarted, connector, { files: { 'ca.crt': ca.certificate } })
    expect((await next.request({})).status).toBe(200)
    expect(await textOf(restarted, 'scc_core.trc')).toMatch(/TLS handshake .*"protocol":"TLSv1\.3".*"peer":"CN=localhost"/)
    await next.configure({ mappings: [mappingTo(backend.url)] })
    expect((await next.request({})).status).toBe(502)
    expect(await textOf(restarted, 'scc_core.trc')).toMatch(/TLS handshake .*"failed":"/)
  })
})

describe('traces of contents', () => {
  it('show what passes in both directions, of the subaccount that was chosen', async () => {
    const traces = await open(settingsWith({}, { trafficTrace: true }))
    const backend = await backendWith()
    const bench = await startBench(traces, { mappings: [mappingTo(backend.url)] })
    expect((await bench.request({ method: 'POST', path: '/orders', body: 'the question' })).body).toBe('the answer')
    const text = await textOf(traces, 'traffic_trace_demo.trc')
    const ascii = text.replaceAll(/^.*\|(.*)\|\n/gm, '$1')
    expect(ascii).toMatch(/#from cloud, \d+ bytes\nPOST \/orders HTTP\/1\.1\.\..*the question/)
    expect(ascii).toMatch(/#to cloud, \d+ bytes\n(?:.*\n)*.*the answer/)
    expect(statSync(join(folder, 'traffic_trace_demo.trc')).mode & 0o777).toBe(0o600)
    await traces.apply(settingsWith())
    await bench.request({ path: '/later' })
    expect(await textOf(traces, 'traffic_trace_demo.trc')).toBe(text)
    expect(await traces.files()).toContainEqual({
      name: 'traffic_trace_demo.trc',
      bytes: Buffer.byteLength(text),
      changedMs: expect.any(Number),
    })
  })

  it.each([
    [1, /refused: no enabled function/, /bytes, pass/],
    [2, /backend: \d+ bytes, pass\n/, /\|.*S\.T\.F\.C\./],
    [3, /client: \d+ bytes, pass\n {2}00000000 .*(?:.*\n)*.*\|/, /nothing that is not there/],
  ])('of RFC say as much as level %i', async (cpicTraceLevel, there, absent) => {
    const gateway = await startScriptedGateway({})
    cleanups.push(() => gateway[Symbol.asyncDispose]())
    const traces = await open(settingsWith({ cpicTraceLevel }))
    const bench = await startBench(traces, {
      mappings: [
        {
          virtual: 'erp.demo:sapgw00',
          internal: `rfc://localhost:${gateway.port}`,
          systemNumber: '42',
          backendType: 'abapSys',
          functions: [{ name: 'STFC_CONNECTION' }],
        },
      ],
    })
    const { stream } = await bench.tcp({ host: 'erp.demo', port: 3300 })
    const caller = createRfcCaller(stream)
    await caller.logOn()
    await caller.call('STFC_CONNECTION')
    await caller.call('RFC_READ_TABLE')
    stream.destroy()
    const text = await textOf(traces, 'cpic.trc')
    expect(text).toMatch(there)
    expect(text).not.toMatch(absent)
  })

  it('CC-153 are refused while a second person forbids them, in all their forms, and can be switched off all the same', async () => {
    permission = { allowed: false, reason: 'the file does not say allowed=true' }
    const traces = await open()
    const wanted = [
      settingsWith({}, { trafficTrace: true }),
      settingsWith({}, { payloadSncTrace: true }),
      settingsWith({ cpicTraceLevel: 3 }),
    ]
    for (const settings of wanted) {
      await expect(traces.apply(settings)).rejects.toMatchObject({ code: 'ACCESS_DENIED', message: permission.reason })
      expect(traces.settings).toEqual(settingsWith())
      expect(traces.of(holder)).toMatchObject({ traffic: undefined, snc: undefined, cpic: undefined })
    }
    await traces.apply(settingsWith({ cpicTraceLevel: 2 }))
    permission = { allowed: true }
    await traces.apply(settingsWith({ cpicTraceLevel: 3 }, { trafficTrace: true, payloadSncTrace: true }))
    permission = { allowed: false, reason: 'not any more' }
    // What is on may stay, and go off.
    await traces.apply(settingsWith({ cpicTraceLevel: 3 }, { trafficTrace: true }))
    await traces.apply(settingsWith())
    // A restart with settings from before the file is no way around it.
    const restarted = await open(settingsWith({ cpicTraceLevel: 3 }, { trafficTrace: true }))
    expect(restarted.of(holder)).toMatchObject({ traffic: undefined, cpic: { level: 2 } })
  })
})

describe.skipIf(process.platform === 'win32')('the file of the second person', () => {
  const runner = { uid: 54_321, gid: 54_321 }
  const write = (text: string, mode = 0o644): string => {
    const path = join(folder, 'writeHexDump')
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }

  it('CC-153 permits with allowed=true alone', async () => {
    expect(await readTrafficPermission(join(folder, 'none'), runner)).toEqual({ allowed: true })
    expect(await readTrafficPermission(write('# for the audit\nallowed=true\n'), runner)).toEqual({ allowed: true })
    for (const text of ['allowed=false\n', '', 'allowed=TRUE', 'allowed=true\nallowed=false', 'notallowed=true', 'allowed = true'])
      expect(await readTrafficPermission(write(text), runner)).toMatchObject({
        allowed: false,
        reason: expect.stringContaining('allowed=true'),
      })
  })

  it('permits nothing to whoever could have written it', async () => {
    const path = write('allowed=true\n')
    const { gid, uid } = statSync(path)
    expect(await readTrafficPermission(path, { uid, gid: 54_321 })).toMatchObject({ allowed: false })
    expect(await readTrafficPermission(path, { uid: 54_321, gid })).toMatchObject({ allowed: false })
    expect(await readTrafficPermission(path, undefined)).toMatchObject({ allowed: false })
    for (const mode of [0o664, 0o646])
      expect(await readTrafficPermission(write('allowed=true\n', mode), runner)).toMatchObject({ allowed: false })
    expect(await readTrafficPermission(folder, runner)).toMatchObject({ allowed: false })
    if (process.getuid?.() !== 0) return
    chownSync(write('allowed=true\n', 0o644), 12_345, 12_345)
    expect(await readTrafficPermission(path, { uid: 0, gid: 0 })).toEqual({ allowed: true })
  })
})

it('a statistical record of a call has its path and status, but neither query nor contents', async () => {
  const traces = await open()
  const backend = await backendWith()
  const bench = await startBench(traces, { mappings: [mappingTo(backend.url)] })
  expect((await bench.request({ method: 'POST', path: '/orders?token=hidden', body: 'never told' })).status).toBe(200)
  await expect.poll(() => textOf(traces, 'dsr.trc')).not.toBe('')
  const text = await textOf(traces, 'dsr.trc')
  expect(JSON.parse(text)).toMatchObject({
    at: expect.stringContaining('T'),
    ...holder,
    resource: '/orders',
    status: 200,
    protocol: 'HTTP',
  })
  expect(text).not.toMatch(/hidden|never told|the answer/)
})
