import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditEntry } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditGatherMs, maxOpenAuditSegments } from '../limits.ts'
import { type AuditLog, createAuditLog } from './audit-log.ts'
import { verifyAuditLog } from './verify-audit-log.ts'

const key = createSecretKey(randomBytes(32))
const start = Date.UTC(2030, 0, 1, 12)
const entry = (message: string, subaccount = 'demo'): AuditEntry => ({ type: 'access-denied', subaccount, user: 'jane', message })

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const file = (day = '2030-01-01', subaccount = 'demo'): string => join(folder, subaccount, `audit-log_${subaccount}_${day}.csv`)
const lines = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')

const dayMs = 86_400_000

async function written(count: number, nowMs: number = start, subaccount?: string): Promise<void> {
  const audit = createAuditLog({ folder, key, clock: createManualClock(nowMs) })
  for (let at = 0; at < count; at++) audit.write(entry(`message ${at}`, subaccount))
  await audit.close()
}

/** Each entry in a write of its own, but for the first, which comes together with the one that says that the log has started. */
async function writtenApart(count: number, nowMs: number = start): Promise<void> {
  const audit = createAuditLog({ folder, key, clock: createManualClock(nowMs) })
  for (let at = 0; at < count; at++) {
    audit.write(entry(`message ${at}`))
    await audit.flushed()
  }
  await audit.close()
}

describe('audit log', () => {
  it('chains entries and verifies', async () => {
    await writtenApart(3)
    const found = lines(file())
    expect(found).toHaveLength(4)
    expect(found[0]).toBe('2030-01-01T12:00:00.000Z;service-started;;;;Audit Service is started for demo;start;')
    expect(found[1]).toMatch(/;access-denied;;jane;;message 0;;[\w-]{43}$/)
    expect(found[2]).toMatch(/;access-denied;;jane;;message 1;[\w-]{43};[\w-]{43}$/)
    expect(await verifyAuditLog({ folder, key })).toEqual({ segments: 1, entries: 4, problems: [] })
  })

  it('seals what is written together once, in blocks of a bounded size', async () => {
    await written(2000)
    const sealed = lines(file()).filter((line) => /;[\w-]{43}$/.test(line))
    expect(sealed.length).toBeGreaterThan(1)
    expect(sealed.length).toBeLessThan(10)
    await written(1)
    expect(await verifyAuditLog({ folder, key })).toEqual({ segments: 1, entries: 2003, problems: [] })
  })

  it('under load writes every few milliseconds, not every turn', async () => {
    const clock = createManualClock(start)
    const audit = createAuditLog({ folder, key, clock })
    audit.write(entry('the log exists'))
    await audit.flushed()
    const onDisk = async (count: number): Promise<void> => {
      while (lines(file()).length < count) await stat(file())
    }
    audit.write(entry('after a pause'))
    await onDisk(3)
    audit.write(entry('within some milliseconds'))
    // Far more turns than a write takes.
    for (let turn = 0; turn < 200; turn++) await stat(file())
    audit.write(entry('within them as well'))
    expect(lines(file())).toHaveLength(3)
    clock.advance(auditGatherMs)
    await onDisk(5)
    expect(lines(file()).filter((line) => /;[\w-]{43}$/.test(line))).toHaveLength(3)
    await audit.close()
    expect(await verifyAuditLog({ folder, key })).toMatchObject({ entries: 5, problems: [] })
  })

  it('keeps files to the owner', async () => {
    await written(1)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'demo')).mode & 0o777).toBe(0o700)
  })

  it.each<[string, (path: string) => void]>([
    ['altered', (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('message 2', 'massage 2'))],
    ['does not follow', (path) => writeFileSync(path, `${lines(path).toSpliced(2, 1).join('\n')}\n`)],
    [
      'does not follow',
      (path) =>
        writeFileSync(
          path,
          `${lines(path)
            .toSpliced(2, 0, lines(path)[3] ?? '')
            .join('\n')}\n`,
        ),
    ],
    ['ends after', (path) => writeFileSync(path, `${lines(path).slice(0, 4).join('\n')}\n`)],
    ['is not an audit entry', (path) => truncateSync(path, statSync(path).size - 10)],
    ['is not an audit entry', (path) => writeFileSync(path, `${readFileSync(path, 'utf8')}${'x'.repeat(200_000)}\n`)],
    ['is missing', (path) => rmSync(path)],
    ['is altered', (path) => writeFileSync(join(path, '..', 'audit-log.anchor'), 'nonsense')],
    ['is missing', (path) => rmSync(join(path, '..', 'audit-log.anchor'))],
  ])('CC-147 notices tampering: %s', async (problem, tamper) => {
    await writtenApart(5)
    tamper(file())
    const { problems } = await verifyAuditLog({ folder, key })
    expect(problems.map((found) => found.problem).join('\n')).toContain(problem)
  })

  const withLines = (change: (found: string[]) => string[]): ((path: string) => void) => {
    return (path) => writeFileSync(path, `${change(lines(path)).join('\n')}\n`)
  }
  it.each<[string, string, (path: string) => void]>([
    ['an altered entry', 'was altered, or one of the 5', withLines((found) => found.map((line) => line.replace('message 2', 'massage 2')))],
    ['a removed entry', 'was altered, or one of the 4', withLines((found) => found.toSpliced(2, 1))],
    ['the removed first entry', 'follows no entry', withLines((found) => found.slice(1))],
    ['the removed last entry', 'is not sealed', withLines((found) => found.slice(0, -1))],
    ['a doubled entry', 'was altered, or one of the 6', withLines((found) => found.toSpliced(2, 0, found[2] ?? ''))],
    ['exchanged entries', 'was altered, or one of the 5', withLines((found) => found.toSpliced(2, 2, found[3] ?? '', found[2] ?? ''))],
    ['a doubled block', 'does not follow', withLines((found) => [...found, ...found])],
    ['an entry behind the last block', 'follows no entry', withLines((found) => [...found, found[2] ?? ''])],
    ['a block within the block', 'is not sealed', withLines((found) => found.toSpliced(2, 0, ...found))],
    ['something else within', 'is not an audit entry', withLines((found) => found.toSpliced(2, 0, 'x'))],
  ])('CC-147 notices tampering with entries that were written together: %s', async (_what, problem, tamper) => {
    await written(5)
    expect(lines(file()).filter((line) => /;[\w-]{43}$/.test(line))).toHaveLength(1)
    tamper(file())
    const { problems } = await verifyAuditLog({ folder, key })
    expect(problems.map((found) => found.problem).join('\n')).toContain(problem)
    // Nor does a restart cover it up.
    await written(1)
    expect((await verifyAuditLog({ folder, key })).problems.length).toBeGreaterThan(0)
  })

  it('does not verify with another key', async () => {
    await written(1)
    const { problems } = await verifyAuditLog({ folder, key: createSecretKey(randomBytes(32)) })
    expect(problems.length).toBeGreaterThan(0)
  })

  it('does not let a segment pass for that of another subaccount', async () => {
    await written(2)
    renameSync(join(folder, 'demo'), join(folder, 'other'))
    const { problems } = await verifyAuditLog({ folder, key })
    expect(problems.length).toBeGreaterThan(0)
  })

  it('begins a segment per day that links to the one before', async () => {
    const clock = createManualClock(start)
    const audit = createAuditLog({ folder, key, clock })
    audit.write(entry('first day'))
    clock.advance(86_400_000)
    audit.write(entry('second day'))
    await audit.close()
    expect(lines(file('2030-01-02'))).toHaveLength(1)
    expect(await verifyAuditLog({ folder, key })).toMatchObject({ segments: 2, entries: 3, problems: [] })
    renameSync(file(), `${file()}.gone`)
    expect((await verifyAuditLog({ folder, key })).problems).toMatchObject([
      { line: 1, problem: expect.stringContaining('is not where the log begins') },
    ])
    renameSync(`${file()}.gone`, file())
    writeFileSync(file('2030-01-02'), readFileSync(file('2030-01-02'), 'utf8').replace(/;[\w-]{43};/, `;${'x'.repeat(43)};`))
    expect((await verifyAuditLog({ folder, key })).problems).toContainEqual(
      expect.objectContaining({ problem: 'does not follow the entry before it' }),
    )
  })

  it('goes on with the chain after a restart, also after a crash within a line', async () => {
    await written(2)
    await written(2)
    expect(lines(file())).toHaveLength(6)
    writeFileSync(file(), `${readFileSync(file(), 'utf8')}2030-01-01T12:00:00;half a li`)
    await written(1)
    expect(await verifyAuditLog({ folder, key })).toEqual({ segments: 1, entries: 8, problems: [] })
  })

  it('goes on after a crash within a block with what was acknowledged', async () => {
    await written(3)
    const acknowledged = readFileSync(file(), 'utf8')
    await written(200)
    const added = readFileSync(file(), 'utf8').slice(acknowledged.length)
    const anchor = join(folder, 'demo', 'audit-log.anchor')
    await rm(join(folder, 'demo'), { recursive: true })
    await rm(join(folder, 'audit-log.index'))
    await written(3)
    const known = readFileSync(anchor)
    for (const share of [0.01, 0.5, 0.99]) {
      writeFileSync(file(), `${acknowledged}${added.slice(0, added.length * share)}`)
      writeFileSync(anchor, known)
      await written(1)
      expect(await verifyAuditLog({ folder, key })).toEqual({ segments: 1, entries: 6, problems: [] })
    }
  })

  it.each<[string, (path: string) => void]>([
    ['the end of the last segment', (path) => writeFileSync(path, `${lines(path).slice(0, 2).join('\n')}\n`)],
    ['all of the last segment', (path) => rmSync(path)],
    ['what stood in the last segment', (path) => writeFileSync(path, '')],
    [
      'the end of the last segment and the anchor',
      (path) => {
        writeFileSync(path, `${lines(path).slice(0, 2).join('\n')}\n`)
        rmSync(join(path, '..', 'audit-log.anchor'))
      },
    ],
  ])('CC-147 a restart does not cover up that somebody has deleted %s', async (_what, tamper) => {
    await written(3)
    await written(3, start + dayMs)
    tamper(file('2030-01-02'))
    await written(1, start + dayMs)
    await written(1, start + 2 * dayMs)
    expect((await verifyAuditLog({ folder, key })).problems.map((found) => found.problem)).toContain('does not follow the entry before it')
  })

  const problemsFound = async (): Promise<string> =>
    (await verifyAuditLog({ folder, key })).problems.map((found) => `${found.file} ${found.problem}`).join('\n')
  const removeSegments = (subaccount = 'demo'): void => {
    for (const name of readdirSync(join(folder, subaccount))) if (name.endsWith('.csv')) rmSync(join(folder, subaccount, name))
  }

  it.each<[string, () => void, string]>([
    ['an old segment', () => rmSync(file()), 'earlier segments are missing'],
    ['all segments', () => removeSegments(), 'earlier segments are missing'],
    ['all segments and the anchor', () => rmSync(join(folder, 'demo'), { recursive: true }), 'earlier segments are missing'],
    [
      'all segments, with an empty anchor left',
      () => {
        removeSegments()
        writeFileSync(join(folder, 'demo', 'audit-log.anchor'), '')
      },
      'earlier segments are missing',
    ],
    [
      'the whole log and the index',
      () => {
        rmSync(join(folder, 'demo'), { recursive: true })
        rmSync(join(folder, 'audit-log.index'))
      },
      'audit-log.index was missing or altered',
    ],
  ])('CC-147 a clean-up is no excuse for %s of a subaccount, before and after a restart', async (_what, tamper, problem) => {
    await written(3)
    await written(3, start + dayMs, 'other')
    await written(3, start + dayMs)
    expect(await problemsFound()).toBe('')
    tamper()
    expect(await problemsFound()).toContain('missing')
    await written(1, start + 2 * dayMs)
    await written(1, start + 3 * dayMs)
    expect(await problemsFound()).toContain(problem)
  })

  it('CC-147 notices an altered index, also after a restart', async () => {
    await written(1)
    writeFileSync(join(folder, 'audit-log.index'), readFileSync(join(folder, 'audit-log.index'), 'utf8').replace('demo', 'dame'))
    expect(await problemsFound()).toContain('audit-log.index is altered')
    await written(1, start + dayMs)
    expect(await problemsFound()).toContain('audit-log.index was missing or altered')
  })

  it('a crash during a clean-up leaves a log that verifies', async () => {
    await written(2)
    const old = readFileSync(file())
    const cleanUp = async (nowMs: number): Promise<void> => {
      const audit = createAuditLog({ folder, key, clock: createManualClock(nowMs) })
      audit.retain('demo', 14)
      audit.write(entry('x'))
      await audit.close()
    }
    await written(2, start + 10 * dayMs)
    await cleanUp(start + 16 * dayMs)
    expect(readdirSync(join(folder, 'demo'))).not.toContain('audit-log_demo_2030-01-01.csv')
    // The process had died before it removed the file.
    writeFileSync(file(), old)
    expect(await problemsFound()).toBe('')
    await cleanUp(start + 40 * dayMs)
    expect(await verifyAuditLog({ folder, key })).toEqual({ segments: 1, entries: 2, problems: [] })
    removeSegments()
    expect(await problemsFound()).toContain('is missing')
  })

  it('keeps the logs of subaccounts apart whose long names begin the same, or look like the name of a folder', async () => {
    const long = 'a'.repeat(300)
    const names = [`${long}1`, `${long}2`, 'é'.repeat(100), '', '_crossaccount', '..', '!lost', '\ud800']
    for (const name of names) await written(2, start, name)
    for (const name of names) await written(1, start + dayMs, name)
    expect(await verifyAuditLog({ folder, key })).toEqual({ segments: 2 * names.length, entries: 5 * names.length, problems: [] })
    expect(readdirSync(folder)).toHaveLength(names.length + 1)
    expect(Math.max(...readdirSync(folder).map((name) => name.length))).toBe(200)
  })

  it('goes on after a crash that left a segment without an entry, or with a part of one', async () => {
    await written(1)
    writeFileSync(file('2030-01-02'), '')
    await written(1, start + dayMs)
    writeFileSync(file('2030-01-03'), '2030-01-03T12:00:00;half a li')
    await written(1, start + 2 * dayMs)
    expect(await verifyAuditLog({ folder, key })).toEqual({ segments: 3, entries: 6, problems: [] })
  })

  it('begins the log of a subaccount whose entries are kept for a while only, and says so in it', async () => {
    const audit = createAuditLog({ folder, key, clock: createManualClock(start) })
    audit.retain('demo', 14)
    audit.write(entry('x'))
    await audit.close()
    expect(lines(file())).toEqual([expect.stringContaining('Audit Service is started for demo'), expect.stringContaining(';x;')])
  })

  it('leaves a segment that was tampered with as it is and goes on in a new part', async () => {
    await written(3)
    writeFileSync(file(), `${lines(file()).slice(0, 2).join('\n')}\n`)
    await written(1)
    expect(lines(file())).toHaveLength(2)
    expect(readdirSync(join(folder, 'demo'))).toContain('audit-log_demo_2030-01-01.2.csv')
  })

  it('does not let an entry break out of its line or column', async () => {
    const audit = createAuditLog({ folder, key, clock: createManualClock(start) })
    audit.write(entry('a;b\nc\\d\u0000', '../up'))
    await audit.close()
    const [subaccountFolder = ''] = readdirSync(folder).filter((name) => name !== 'audit-log.index')
    expect(readdirSync(folder)).toHaveLength(2)
    const text = readFileSync(
      join(folder, subaccountFolder, readdirSync(join(folder, subaccountFolder)).find((name) => name.endsWith('.csv')) ?? ''),
      'utf8',
    )
    expect(text).toContain('a\\x3bb\\x0ac\\x5cd\\x00')
    expect((await verifyAuditLog({ folder, key })).problems).toEqual([])
  })

  it('keeps segments for ever by default, and as long as it is told', async () => {
    const clock = createManualClock(start)
    const write = async (setUp: (audit: AuditLog) => void = () => {}): Promise<void> => {
      const audit = createAuditLog({ folder, key, clock })
      setUp(audit)
      audit.write(entry('x'))
      await audit.close()
    }
    await write()
    clock.advance(400 * 86_400_000)
    await write()
    expect((await verifyAuditLog({ folder, key })).segments).toBe(2)
    clock.advance(15 * 86_400_000)
    await write((audit) => audit.retain('demo', 14))
    expect(await verifyAuditLog({ folder, key })).toMatchObject({ segments: 1, problems: [] })
  })

  it('fails while the disk refuses, loses nothing, and recovers', async () => {
    const clock = createManualClock(start)
    const audit = createAuditLog({ folder: join(folder, 'log'), key, clock })
    writeFileSync(join(folder, 'log'), 'a file where the folder should be')
    audit.write(entry('kept'))
    await expect(audit.flushed()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(audit.failing).toBe(true)
    rmSync(join(folder, 'log'))
    clock.advance(1000)
    await audit.flushed()
    expect(audit.failing).toBe(false)
    await audit.close()
    expect(await verifyAuditLog({ folder: join(folder, 'log'), key })).toMatchObject({ entries: 2, problems: [] })
  })

  it.skipIf(process.platform !== 'linux')(
    'has a bounded number of files open, however many subaccounts write, and goes on with each',
    async () => {
      const audit = createAuditLog({ folder, key, clock: createManualClock(start) })
      const names = Array.from({ length: maxOpenAuditSegments + 20 }, (_, at) => `subaccount-${at}`)
      for (const round of ['first', 'second']) {
        for (const name of names) audit.write(entry(`${round} round`, name))
        await audit.flushed()
        expect(openBelow(folder)).toBe(2 * maxOpenAuditSegments)
      }
      // Who has written before all others has been closed in each round; who has just written has not.
      audit.write(entry('last', names.at(-1)))
      await audit.flushed()
      expect(lines(file('2030-01-01', names[0])).map((line) => line.split(';')[5])).toEqual([
        'Audit Service is started for subaccount-0',
        'first round',
        'second round',
      ])
      expect(await verifyAuditLog({ folder, key })).toEqual({ segments: names.length, entries: 3 * names.length + 1, problems: [] })
      await audit.close()
      expect(openBelow(folder)).toBe(0)
      expect((await verifyAuditLog({ folder, key })).problems).toEqual([])
    },
  )

  it('keeps up with 30,000 entries of one turn', async () => {
    const audit = createAuditLog({ folder, key, clock: createManualClock(start) })
    for (let at = 0; at < 30_000; at++) audit.write(entry(`Access denied to resource /sap/opu/odata/${at} on system s4.demo:443`))
    await audit.flushed()
    await audit.close()
    expect((await verifyAuditLog({ folder, key })).entries).toBe(30_001)
  })
})

/** Files of this process that are open below a folder. */
function openBelow(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path)
    } catch {
      return false
    }
  }).length
}
