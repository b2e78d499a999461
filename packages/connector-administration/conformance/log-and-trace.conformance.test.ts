import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TrafficPermission } from '@sallyport/cloud-connector'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const path = '/api/v1/configuration/connector/logAndTrace'
const demo = { regionHost: 'cf.demo.example', subaccount: 'demo' }
const traffic = `${path}/subaccounts/${demo.regionHost}/${demo.subaccount}`
const folder = mkdtempSync(join(tmpdir(), 'sallyport-traces-'))

let bench: AdministrationBench
let permission: TrafficPermission
const forbidden: TrafficPermission = { allowed: false, reason: 'writeHexDump does not say allowed=true' }
const start = (more: Parameters<typeof startAdministrationBench>[0] = {}): Promise<AdministrationBench> =>
  startAdministrationBench({ haRole: 'master', traceFolder: folder, tracePermission: () => permission, ...more })
const restart = async (): Promise<void> => {
  const { material } = bench
  await bench[Symbol.asyncDispose]()
  bench = await start({ material })
}
const settings = async (): Promise<Record<string, unknown>> => (await bench.call('GET', path)).json()

beforeEach(async () => {
  permission = { allowed: true }
  bench = await start()
  await bench.expose(demo)
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

describe('logs', () => {
  it('have the levels of the original at first', async () => {
    expect(await settings()).toEqual({
      sccLogLevel: 'INFO',
      otherLogLevel: 'INFO',
      tlsTrace: false,
      isTlsTraceActive: false,
      cpicTraceLevel: 0,
      cleanup: 0,
      rolloverThreshold: 50,
      logAndTracePath: folder,
    })
  })

  it('take a level at once, and keep it over a restart', async () => {
    const written = async (): Promise<string> => {
      bench.traces.log.debug({}, 'in detail')
      bench.traces.log.info({}, 'as usual')
      await bench.traces.flushed()
      return readFileSync(join(folder, 'scc_core.trc'), 'utf8')
    }
    expect(await written()).not.toContain('in detail')
    expect((await bench.call('PATCH', path, { sccLogLevel: 'DEBUG' }, { as: 'sccsupport' })).status).toBe(204)
    expect(await written()).toContain('in detail')
    await restart()
    expect(await settings()).toMatchObject({ sccLogLevel: 'DEBUG', otherLogLevel: 'INFO' })
  })

  it('take what is given and nothing else, the size of a file with its unit only', async () => {
    for (const [text, value] of [
      ['75 MB', 75],
      ['80MB', 80],
    ] as const) {
      expect((await bench.call('PATCH', path, { rolloverThreshold: text, cleanup: '14' })).status).toBe(204)
      expect(await settings()).toMatchObject({ rolloverThreshold: value, cleanup: 14, sccLogLevel: 'INFO' })
    }
    for (const wrong of [
      { rolloverThreshold: 75 },
      { rolloverThreshold: '75' },
      { rolloverThreshold: '75 GB' },
      { rolloverThreshold: '0 MB' },
      { sccLogLevel: 'LOUD' },
      { cpicTraceLevel: 4 },
      { cleanup: -1 },
      { tlsTrace: 'maybe' },
    ])
      expect((await bench.call('PATCH', path, wrong)).status, JSON.stringify(wrong)).toBe(400)
    expect(await settings()).toMatchObject({ rolloverThreshold: 80, cleanup: 14, sccLogLevel: 'INFO', cpicTraceLevel: 0 })
  })

  it('CC-152 trace TLS after a restart, until when the setting and what is traced differ', async () => {
    expect((await bench.call('PATCH', path, { tlsTrace: true })).status).toBe(204)
    expect(await settings()).toMatchObject({ tlsTrace: true, isTlsTraceActive: false })
    await restart()
    expect(await settings()).toMatchObject({ tlsTrace: true, isTlsTraceActive: true })
  })

  it('tell the audit log who changed what', async () => {
    const before = bench.audited.length
    await bench.call('PATCH', path, { sccLogLevel: 'TRACE', cpicTraceLevel: 1 }, { as: 'sccsupport' })
    await bench.call('PATCH', traffic, { trafficTrace: true })
    expect(bench.audited.slice(before).map(({ category, subaccount, message }) => [category, subaccount, message])).toEqual([
      ['CloudConnectorLoggers', '', 'User sccsupport changed parameter SccLogLevel from "INFO" to "TRACE"'],
      ['CPICTrace', '', 'User sccsupport changed parameter CpicTraceLevel from 0 to 1'],
      ['PayloadTrace', 'demo', 'User sccadmin changed parameter TrafficTrace from false to true'],
    ])
  })
})

describe('contents', () => {
  const off = { trafficTrace: false, payloadSncTrace: false }
  const shown = async (): Promise<unknown> => (await bench.call('GET', traffic)).json()

  it('are traced for the chosen subaccount, also after a restart, until they are switched off', async () => {
    expect(await shown()).toEqual(off)
    expect((await bench.call('PATCH', traffic, { trafficTrace: 'true' }, { as: 'sccsupport' })).status).toBe(204)
    expect((await bench.call('PATCH', traffic, { payloadSncTrace: true })).status).toBe(204)
    await restart()
    expect(await shown()).toEqual({ trafficTrace: true, payloadSncTrace: true })
    expect(bench.traces.of({ subaccount: 'demo', locationId: '' }).traffic).toBeDefined()
    await bench.call('PATCH', traffic, off)
    expect(bench.traces.of({ subaccount: 'demo', locationId: '' }).traffic).toBeUndefined()
    expect((await bench.call('PATCH', `${path}/subaccounts/a/b`, off)).status).toBe(404)
  })

  it('CC-153 are not traced without the permission of a second person, and can always be switched off', async () => {
    await bench.call('PATCH', traffic, { trafficTrace: true })
    permission = forbidden
    for (const [place, body] of [
      [traffic, { payloadSncTrace: true }],
      [path, { cpicTraceLevel: 3, sccLogLevel: 'DEBUG' }],
    ] as const) {
      const answer = await bench.call('PATCH', place, body)
      expect([answer.status, answer.json()]).toEqual([403, { type: 'FORBIDDEN_REQUEST', message: forbidden.reason }])
    }
    expect(await settings()).toMatchObject({ cpicTraceLevel: 0, sccLogLevel: 'INFO' })
    expect(bench.editor.document.logAndTrace.sccLogLevel).toBe('INFO')
    expect((await bench.call('PATCH', path, { cpicTraceLevel: 2 })).status).toBe(204)
    expect((await bench.call('PATCH', traffic, { trafficTrace: false })).status).toBe(204)
    expect(await shown()).toEqual(off)
  })

  it('CC-153 are off after a start without the permission, and do not come back with a change of something else', async () => {
    await bench.call('PATCH', traffic, { trafficTrace: true })
    permission = forbidden
    await restart()
    expect(await shown()).toEqual(off)
    expect((await bench.call('PUT', '/api/v1/configuration/connector', { description: 'changed' })).status).toBe(200)
    expect((await bench.call('PATCH', path, { sccLogLevel: 'WARN' })).status).toBe(204)
    permission = { allowed: true }
    await restart()
    expect(await shown()).toEqual(off)
  })
})
