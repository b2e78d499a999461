import { writeFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { CaseResult } from '@sallyport/conformance/cases'
import { formatSummary, groupResults, printable, summarise, titleOf } from './report.ts'

/** The forms of a report file, by the end of its name. */
const forms: Readonly<Record<string, (target: string, results: readonly CaseResult[]) => string>> = {
  '.json': (target, results) => `${JSON.stringify(reportDocument(target, results), null, 2)}\n`,
  '.md': formatMarkdown,
  '.xml': formatJUnit,
}

/** Whether a report can be written under this name. */
export function isReportFile(path: string): boolean {
  return extname(path).toLowerCase() in forms
}

/** Writes the report in the form that the name asks for: `.json`, `.md`, or `.xml` for JUnit. */
export function writeReport(path: string, target: string, results: readonly CaseResult[]): void {
  const form = forms[extname(path).toLowerCase()]
  if (form === undefined) throw new Error(`${path} is no report`)
  writeFileSync(path, form(target, results))
}

/** The JSON form, also of `--json`. */
export function reportDocument(
  target: string,
  results: readonly CaseResult[],
): {
  readonly target: string
  readonly ok: boolean
  readonly summary: ReturnType<typeof summarise>
  readonly results: readonly CaseResult[]
} {
  const summary = summarise(results)
  return { target, ok: summary.failed === 0, summary, results }
}

function formatMarkdown(target: string, results: readonly CaseResult[]): string {
  const lines = [`# Conformance of ${cell(target)}`, '', `${results.length} cases: ${formatSummary(summarise(results))}.`]
  for (const group of groupResults(results)) {
    lines.push('', `## ${cell(`${group.suite} · ${group.subject}`)}`, '', formatSummary(summarise(group.results)), '')
    lines.push('| case | checklist | outcome | details |', '|---|---|---|---|')
    for (const { name, ids, outcome, reason, failure } of group.results)
      lines.push(`| ${cell(name)} | ${ids.join(' ')} | ${outcome} | ${cell(reason ?? failure?.message ?? '')} |`)
  }
  return `${lines.join('\n')}\n`
}

/** Text inside a cell of a table. */
function cell(text: string): string {
  return printable(text)
    .replaceAll('\\', '\\\\')
    .replaceAll(/([|<>`*_])/g, '\\$1')
}

function formatJUnit(target: string, results: readonly CaseResult[]): string {
  const suites = groupResults(results).map((group) => {
    const { failed, skipped, knownGaps } = summarise(group.results)
    const name = attribute(`${group.suite} ${group.subject}`)
    const counts = `tests="${group.results.length}" failures="${failed}" skipped="${skipped + knownGaps}" time="${secondsOf(group.results)}"`
    const cases = group.results.map((result) => formatJUnitCase(name, result))
    return `  <testsuite name="${name}" ${counts}>\n${cases.join('\n')}\n  </testsuite>`
  })
  const { failed } = summarise(results)
  const head = `<testsuites name="${attribute(target)}" tests="${results.length}" failures="${failed}" time="${secondsOf(results)}">`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${suites.join('\n')}\n</testsuites>\n`
}

function formatJUnitCase(className: string, result: CaseResult): string {
  const open = `    <testcase classname="${className}" name="${attribute(titleOf(result))}" time="${secondsOf([result])}"`
  if (result.outcome === 'passed') return `${open}/>`
  if (result.outcome !== 'failed')
    return `${open}><skipped message="${attribute(`${result.outcome}: ${result.reason ?? ''}`)}"/></testcase>`
  const { message = 'failed', expected, actual } = result.failure ?? {}
  const details = [...(expected === undefined ? [] : [`expected ${expected}`]), ...(actual === undefined ? [] : [`seen ${actual}`])]
  return `${open}><failure message="${attribute(message)}">${attribute(details.join('\n'))}</failure></testcase>`
}

function secondsOf(results: readonly CaseResult[]): string {
  return (results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000).toFixed(3)
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text inside XML, without what XML cannot hold. */
function attribute(text: string): string {
  return printable(text).replaceAll(/[&<>"]/g, (character) => entities[character] ?? '')
}
