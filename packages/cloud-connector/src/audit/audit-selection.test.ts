import { execFile } from 'node:child_process'
import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import type { AuditEntry } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuditLog } from './audit-log.ts'
import { matchesPattern } from './audit-pattern.ts'
import { exportAuditLog } from './export-audit-log.ts'
import { type AuditSelection, selectAuditEntries } from './select-audit-entries.ts'

const run = promisify(execFile)
const key = createSecretKey(randomBytes(32))
const day = Date.UTC(2030, 0, 1, 12)
let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'))
  const clock = createManualClock(day)
  const log = createAuditLog({ folder: join(folder, 'log'), key, clock })
  const write = (entry: Partial<AuditEntry>): void =>
    log.write({ type: 'access-denied', subaccount: 'demo', user: 'jane', message: 'm', ...entry })
  write({ message: 'Access denied to resource /orders/1 on system s4:443' })
  write({ message: 'Access denied to resource /orders/22 on system s4:443', user: 'john' })
  write({ type: 'configuration-changed', category: 'BackendMapping', message: 'User admin changed orders; "all", of them\n\\' })
  await log.flushed()
  clock.advance(86_400_000)
  write({ type: 'access-allowed', message: 'Access allowed to resource /orders/1', subaccount: 'other' })
  write({ message: 'Access denied to resource /stock', correlationId: 'corr-7' })
  await log.close()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const log = (): { readonly folder: string; readonly key: typeof key } => ({ folder: join(folder, 'log'), key })
const messages = async (selection: AuditSelection): Promise<readonly string[]> => {
  const found: string[] = []
  for await (const { message } of selectAuditEntries(log(), {
    types: ['access-denied', 'access-allowed', 'configuration-changed'],
    ...selection,
  }))
    found.push(message.slice(0, 36))
  return found
}

describe('a selection of the audit log', () => {
  it('CC-148 finds patterns with * and ?, and all conditions together', async () => {
    expect(await messages({ pattern: '/orders/?' })).toHaveLength(3)
    expect(await messages({ pattern: '/orders/?? on' })).toEqual(['Access denied to resource /orders/22'])
    expect(await messages({ pattern: 'DENIED*s4:???' })).toHaveLength(2)
    expect(await messages({ pattern: 'backendmapping' })).toHaveLength(1)
    expect(await messages({ pattern: 'corr-?' })).toEqual(['Access denied to resource /stock'])
    expect(await messages({ pattern: 'orders', types: ['access-denied', 'access-allowed'] })).toHaveLength(3)
    expect(await messages({ pattern: 'orders', types: ['access-denied', 'access-allowed'], fromMs: day + 1 })).toEqual([
      'Access allowed to resource /orders/1',
    ])
    expect(
      await messages({ pattern: 'orders', types: ['access-denied', 'access-allowed'], toMs: day, subaccounts: ['demo'] }),
    ).toHaveLength(2)
    expect(await messages({ pattern: 'john', toMs: day })).toHaveLength(1)
    expect(await messages({ pattern: 'john', fromMs: day + 1 })).toEqual([])
  })

  it('includes both of its ends', async () => {
    expect(await messages({ fromMs: day, toMs: day })).toHaveLength(3)
    expect(await messages({ fromMs: day + 86_400_000 })).toHaveLength(2)
    expect(await messages({ toMs: day - 1 })).toEqual([])
  })

  it('gives texts back as they were written', async () => {
    const found = []
    for await (const entry of selectAuditEntries(log(), { types: ['configuration-changed'] })) found.push(entry)
    expect(found).toEqual([
      {
        timestamp: '2030-01-01T12:00:00.000Z',
        subaccount: 'demo',
        type: 'configuration-changed',
        category: 'BackendMapping',
        user: 'jane',
        correlationId: '',
        message: 'User admin changed orders; "all", of them\n\\',
      },
    ])
  })
})

describe('an export of the audit log', () => {
  it('CC-149 is a gzip CSV bundled with a manifest that says what was selected', async () => {
    const file = join(folder, 'export.tar')
    const selection = { pattern: 'orders*', types: ['access-denied', 'configuration-changed'], subaccounts: ['demo'], fromMs: day }
    const written = await exportAuditLog(log(), selection, { file, nowMs: day + 1 })
    expect(written).toMatchObject({ entries: 3, bytes: readFileSync(file).length })
    await run('tar', ['-xf', file, '-C', folder])
    const compressed = readFileSync(join(folder, 'audit-log.csv.gz'))
    expect(readFileSync(join(folder, 'manifest.txt'), 'utf8')).toBe(
      `Extracted: 2030-01-01T12:00:00.001Z
Entries: 3
From: 2030-01-01T12:00:00.000Z
To: any
Types: "access-denied", "configuration-changed"
Pattern: "orders*"
Subaccounts: "demo"
SHA-256 of audit-log.csv.gz: ${createHash('sha256').update(compressed).digest('hex')}
`,
    )
    expect(gunzipSync(compressed).toString('utf8')).toBe(
      `timestamp,subaccount,type,category,user,correlationId,message
2030-01-01T12:00:00.000Z,demo,access-denied,,jane,,Access denied to resource /orders/1 on system s4:443
2030-01-01T12:00:00.000Z,demo,access-denied,,john,,Access denied to resource /orders/22 on system s4:443
2030-01-01T12:00:00.000Z,demo,configuration-changed,BackendMapping,jane,,"User admin changed orders; ""all"", of them\\x0a\\x5c"
`,
    )
  })

  it('writes over nothing', async () => {
    const file = join(folder, 'export.tar')
    await exportAuditLog(log(), {}, { file, nowMs: day })
    await expect(exportAuditLog(log(), {}, { file, nowMs: day })).rejects.toMatchObject({ code: 'EEXIST' })
  })
})

describe('a pattern', () => {
  it('finds what a regular expression made from it finds', () => {
    const signs = fc.array(fc.constantFrom('a', 'b', '*', '?', '.'), { maxLength: 8 }).map((all) => all.join(''))
    const texts = fc.array(fc.constantFrom('a', 'b', '.', 'A'), { maxLength: 10 }).map((all) => all.join(''))
    fc.assert(
      fc.property(signs, texts, (pattern, text) => {
        const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')
        expect(matchesPattern(text, pattern)).toBe(new RegExp(expression, 'i').test(text))
      }),
    )
  })
})
