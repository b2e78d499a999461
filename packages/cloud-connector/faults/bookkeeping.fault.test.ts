import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alertingSettingsSchema, emailSettingsSchema, webhookSettingsSchema } from '@sallyport/admin-api'
import { ConnectivityError, type Logger, silentLogger } from '@sallyport/core'
import { createHttpBackend, createManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mappingTo, startConnectorBench } from '../conformance/connector-bench.ts'
import { steadyMachine } from '../conformance/admin-bench.ts'
import { createMaterialMemory, type MaterialStore, startHardwareMonitor, startHealthWatch } from '../src/index.ts'
import { createTraceFile } from '../src/trace/trace-file.ts'

let folder: string
let lines: string[]
const log: Logger = {
  ...silentLogger,
  warn: (_, message) => void lines.push(message),
  error: (_, message) => void lines.push(message),
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-faults-'))
  lines = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Remembers nothing, and what it is asked for is broken. */
const brokenMaterial: MaterialStore = {
  ...createMaterialMemory(),
  load: async (name) => (name === 'alerts' || name === 'hardware history' || name.startsWith('usage ') ? '{"alerts":' : undefined),
  save: () => Promise.reject(new ConnectivityError('STORE_FAILED', 'the disk is full')),
}

describe('what a connector keeps about itself', () => {
  it('does not stop it when it is broken and cannot be kept', async () => {
    const clock = createManualClock()
    await using backend = await createHttpBackend({ answer: () => ({ body: 'ok' }) })
    await using bench = await startConnectorBench({ clock, material: brokenMaterial, connector: { mappings: [mappingTo(backend.url)] } })
    expect((await bench.request({})).status).toBe(200)
    const hardware = await startHardwareMonitor({ machine: steadyMachine, material: brokenMaterial, clock, log })
    const health = await startHealthWatch({
      probes: [],
      settings: () => ({
        alerting: alertingSettingsSchema.parse({}),
        email: emailSettingsSchema.parse({}),
        webhook: webhookSettingsSchema.parse({}),
      }),
      material: brokenMaterial,
      clock,
      log,
    })
    await health.check()
    await health.close()
    await hardware.close()
    expect(lines).toEqual(
      expect.arrayContaining([
        'the history of the machine is begun anew',
        'the list of alerts is begun anew',
        'the history of the machine is not kept',
      ]),
    )
    expect(bench.logged.join('')).toContain('usage statistics are begun anew')
  })
})

describe('a trace whose folder is gone', () => {
  it('says so once, and goes on when it is back', async () => {
    const inTheWay = join(folder, 'log')
    writeFileSync(inTheWay, '')
    const path = join(inTheWay, 'scc_core.trc')
    const file = createTraceFile({ path, rules: () => ({ thresholdBytes: 1000, cleanupDays: 0 }), clock: createManualClock(), log })
    for (const text of ['one\n', 'two\n']) {
      file.write(text)
      await file.flushed()
    }
    expect(lines).toEqual(['a trace cannot be written'])
    rmSync(inTheWay)
    file.write('three\n')
    await file.close()
    expect(readFileSync(path, 'utf8')).toBe('three\n')
  })
})
