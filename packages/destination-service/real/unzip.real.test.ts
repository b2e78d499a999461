import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createExport } from '../src/exchange/export-file.ts'

const missing = ((): boolean => {
  try {
    execFileSync('unzip', ['-v'], { stdio: 'ignore' })
    return false
  } catch {
    if (process.env['REQUIRE_REAL'] === '1') throw new Error('unzip is missing, and REQUIRE_REAL is set')
    return true
  }
})()

const folder = mkdtempSync(join(tmpdir(), 'sallyport-unzip-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(missing)('unzip', () => {
  it('finds nothing wrong with an export of several destinations and unpacks them with their time', () => {
    const archive = join(folder, 'export.zip')
    const destinations = ['a', 'b', 'ü'].map((name) => ({ Name: name, Type: 'HTTP', URL: `http://${name}.example` }))
    writeFileSync(archive, createExport(destinations, { format: 'json', nowMs: Date.UTC(2026, 0, 7, 10, 15, 30) }).content)
    expect(execFileSync('unzip', ['-t', archive], { encoding: 'utf8' })).toContain('No errors detected')
    expect(execFileSync('unzip', ['-l', archive], { encoding: 'utf8' })).toContain('2026-01-07 10:15')
    execFileSync('unzip', ['-q', archive, '-d', folder])
    expect(JSON.parse(readFileSync(join(folder, 'b.json'), 'utf8'))).toEqual(destinations[1])
  })
})
