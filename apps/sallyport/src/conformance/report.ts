import type { CaseResult } from '@sallyport/conformance/cases'

/** How many cases ended in which way. */
export interface ReportSummary {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly knownGaps: number
}

/** Colours of a terminal, or none. */
export interface ReportStyle {
  good(text: string): string
  bad(text: string): string
  dim(text: string): string
  bold(text: string): string
}

/** The results of one table and one subject. */
export interface ReportGroup {
  readonly suite: string
  readonly subject: string
  readonly results: readonly CaseResult[]
}

export function summarise(results: readonly CaseResult[]): ReportSummary {
  const count = (outcome: CaseResult['outcome']): number => results.filter((result) => result.outcome === outcome).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), knownGaps: count('known gap') }
}

/** "12 passed, 1 failed": what is zero is left out, except the failures of a whole run. */
export function formatSummary({ passed, failed, skipped, knownGaps }: ReportSummary): string {
  const parts = [
    [passed, 'passed'],
    [failed, 'failed'],
    [skipped, 'skipped'],
    [knownGaps, knownGaps === 1 ? 'known gap' : 'known gaps'],
  ] as const
  const shown = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  return shown.length === 0 ? 'nothing ran' : shown.join(', ')
}

/** Results of one table and subject together, in the order in which they ran. */
export function groupResults(results: readonly CaseResult[]): readonly ReportGroup[] {
  const groups = new Map<string, { suite: string; subject: string; results: CaseResult[] }>()
  for (const result of results) {
    const key = `${result.suite} ${result.subject}`
    const group = groups.get(key) ?? { suite: result.suite, subject: result.subject, results: [] }
    group.results.push(result)
    groups.set(key, group)
  }
  return [...groups.values()]
}

/** The report for people: grouped, a line per case, what was expected and seen below each failure, a summary line at the end. */
export function formatReport(target: string, results: readonly CaseResult[], style: ReportStyle): string {
  const lines = [style.bold(`Conformance of ${target}`)]
  for (const group of groupResults(results)) {
    lines.push('', `${style.bold(`${group.suite} · ${group.subject}`)}  ${style.dim(formatSummary(summarise(group.results)))}`)
    for (const result of group.results) lines.push(...formatResult(result, style))
  }
  const summary = summarise(results)
  const seconds = (results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000).toFixed(1)
  const verdict = `${results.length} cases: ${formatSummary(summary)} in ${seconds} s`
  lines.push('', summary.failed === 0 ? style.good(verdict) : style.bad(verdict))
  return lines.join('\n')
}

function formatResult(result: CaseResult, style: ReportStyle): readonly string[] {
  const title = titleOf(result)
  const { outcome, failure, reason = '' } = result
  if (outcome === 'passed') return [`  ${style.good('✔')} ${title}  ${style.dim(`${Math.round(result.durationMs)} ms`)}`]
  if (outcome === 'skipped') return [`  ${style.dim(`- ${title}  skipped: ${reason}`)}`]
  if (outcome === 'known gap') return [`  ~ ${title}  known gap: ${reason}`]
  const details = [
    failure?.message ?? 'failed',
    ...(failure?.expected === undefined ? [] : [`expected  ${failure.expected}`]),
    ...(failure?.actual === undefined ? [] : [`seen      ${failure.actual}`]),
  ]
  return [
    `  ${style.bad('✖')} ${title}  ${style.dim(`${Math.round(result.durationMs)} ms`)}`,
    ...details.map((text) => `      ${printable(text)}`),
  ]
}

/** Checklist lines in front of the title. */
export function titleOf({ ids, name }: CaseResult): string {
  return [...ids, name].join(' ')
}

/** One line without control characters: what a target sends must not steer a terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^[\x7f-\x9f]$/, '?'),
  )
}
