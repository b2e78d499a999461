import type { BenchCase } from './bench-case.ts'
import { type Goal, goals, product } from './goals.ts'
import { type BenchRecord, type Summary, summarise } from './record.ts'

/** Medians of every contender in every case, then how the product stands to its goals. */
export function formatReport(cases: readonly BenchCase[], records: readonly BenchRecord[]): string {
  const summaries = new Map<string, Summary>()
  const lines: string[] = []
  for (const { name, title, unit } of cases) {
    const own = records.filter((record) => record.case === name)
    lines.push('', `${name}: ${title}, ${unit}`, row(['', 'median', 'lowest', 'highest', 'cloud µs', 'connector µs', 'further']))
    for (const contender of new Set(own.map((record) => record.contender))) {
      const rounds = own.filter((record) => record.contender === contender)
      const summary = summarise(rounds)
      if (summary === undefined) {
        lines.push(`${row([contender, 'failed'])}: ${rounds[0]?.error}`)
        continue
      }
      summaries.set(`${name} ${contender}`, summary)
      lines.push(formatSummary(contender, summary))
    }
  }
  lines.push('', 'goals', row(['', 'of', 'against', 'is', 'goal', '']), ...goals.flatMap((goal) => formatGoal(goal, summaries) ?? []))
  return `${lines.join('\n')}\n`
}

function formatSummary(contender: string, summary: Summary): string {
  const further = Object.entries(summary.details).map(([name, value]) => `${name} ${figure(value)}`)
  if (summary.disturbed > 0) further.push(`${summary.disturbed} of ${summary.rounds} rounds disturbed`)
  const { median, lowest, highest, cloudCpu, connectorCpu } = summary
  return row([
    contender,
    ...[median, lowest, highest, cloudCpu, connectorCpu].map((value) => (value === undefined ? '' : figure(value))),
    further.join(', '),
  ])
}

function formatGoal(goal: Goal, summaries: ReadonlyMap<string, Summary>): string | undefined {
  const { of = product, against, againstCase } = goal
  const own = summaries.get(`${goal.case} ${of}`)
  const relative = against !== undefined || againstCase !== undefined
  const other = relative ? summaries.get(`${againstCase ?? goal.case} ${against ?? of}`) : undefined
  if (own === undefined || (relative && other === undefined)) return undefined
  const value = other === undefined ? own.median : own.median / other.median
  const reached = 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
  const disturbed = [own, other].some((summary) => summary !== undefined && summary.disturbed === summary.rounds)
  const wanted = 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`
  const verdict = `${reached ? 'reached' : 'missed'}${disturbed ? ', but every round was disturbed' : ''}`
  return row([goal.case, of === product ? '' : of, against ?? againstCase ?? '', value.toFixed(2), wanted, verdict])
}

const widths = [16, 16, 16, 10, 10, 12]

function row(cells: readonly string[]): string {
  return `  ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' ')}`.trimEnd()
}

function figure(value: number): string {
  if (Math.abs(value) >= 1000) return value.toFixed(0)
  return value.toFixed(Math.abs(value) >= 100 ? 1 : 2)
}
