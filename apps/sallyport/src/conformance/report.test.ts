import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaseResult } from '@sallyport/conformance/cases'
import { describe, expect, it, onTestFinished } from 'vitest'
import { formatReport } from './report.ts'
import { isReportFile, writeReport } from './report-file.ts'

const plain = (text: string): string => text
const style = { good: plain, bad: plain, dim: plain, bold: plain }

const common = { suite: 'http', subject: 'listener', ids: [], durationMs: 4.2 }
const results: readonly CaseResult[] = [
  { ...common, name: 'passes', ids: ['CP-014'], outcome: 'passed' },
  {
    ...common,
    name: 'answers <b>|x with 405',
    outcome: 'failed',
    failure: { message: 'expected 200 & more', expected: '405', actual: '200 \u001b[31m\u009b1m\n' },
  },
  { ...common, name: 'trusted', outcome: 'skipped', reason: 'needs trusted' },
  { ...common, subject: 'other', name: 'later', outcome: 'known gap', reason: 'ticket "1"' },
]

function written(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-report-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeReport(join(folder, name), 'a <target>', results)
  return readFileSync(join(folder, name), 'utf8')
}

describe('a report', () => {
  it('for people has a line per case, what was expected and seen, and a summary; no control character of the target', () => {
    expect(formatReport('us', results, style)).toBe(`Conformance of us

http · listener  1 passed, 1 failed, 1 skipped
  ✔ CP-014 passes  4 ms
  ✖ answers <b>|x with 405  4 ms
      expected 200 & more
      expected  405
      seen      200 \\u001b[31m?1m\\n
  - trusted  skipped: needs trusted

http · other  1 known gap
  ~ later  known gap: ticket "1"

4 cases: 1 passed, 1 failed, 1 skipped, 1 known gap in 0.0 s`)
  })

  it('for JUnit counts known gaps as skipped, and escapes', () => {
    const xml = written('report.xml')
    expect(xml).toContain('<testsuites name="a &lt;target&gt;" tests="4" failures="1" time="0.017">')
    expect(xml).toContain('<testsuite name="http listener" tests="3" failures="1" skipped="1" time="0.013">')
    expect(xml).toContain('<failure message="expected 200 &amp; more">expected 405\\nseen 200 ')
    expect(xml).toContain('<skipped message="known gap: ticket &quot;1&quot;"/>')
  })

  it('as Markdown keeps its tables whole', () => {
    expect(written('report.md')).toContain('| answers \\<b\\>\\|x with 405 |  | failed | expected 200 & more |\n')
  })

  it('as JSON is what --json prints', () => {
    expect(JSON.parse(written('report.json'))).toMatchObject({
      target: 'a <target>',
      ok: false,
      summary: { passed: 1, failed: 1, skipped: 1, knownGaps: 1 },
    })
  })

  it('has no other form', () => {
    expect([isReportFile('a.xml'), isReportFile('A.MD'), isReportFile('a.pdf')]).toEqual([true, true, false])
  })
})
