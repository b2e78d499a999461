import { expect, it } from 'vitest'
import { allFaults } from './all-faults.ts'
import { formatReport, lossesOf, type Report } from './report.ts'

const seen = {
  fault: 'kill',
  victim: 'master',
  masters: ['first', 'second'],
  servedMeanwhile: true,
  inFlight: { outcome: 502, afterMs: 166 },
  nextSuccessMs: 1_357,
  failed: 3,
  sent: 72,
  disturbedMs: 2_040,
  acknowledged: 7,
  refusals: [],
  lost: ['first has lost w1.faults'],
} as const
const torn = { victim: 'shadow', rounds: 8, acknowledged: 90, unanswered: 2, nextChangeMs: 2_500, lost: ['half a mapping'] } as const

it('says what was seen in tables, and what was lost', () => {
  const report: Report = { observations: [seen], tornWrites: [torn] }
  expect(formatReport(report, allFaults)).toContain(
    '| killed (SIGKILL), started again | master | 502 after 0.2 s | 1.4 s | 3 of 72 | 2.0 s | 7 | 1 |',
  )
  expect(formatReport(report, allFaults)).toContain('| shadow | 8 | 90 | 2 | 2.5 s | 1 |')
  expect(lossesOf(report)).toEqual(['kill, master: first has lost w1.faults', 'killed in the middle of changes, shadow: half a mapping'])
})

it('says that no request succeeded any more', () => {
  const report: Report = { observations: [{ ...seen, nextSuccessMs: Number.NaN, failed: 0 }], tornWrites: [] }
  expect(formatReport(report, allFaults)).toContain('| never | 0 of 72 | – |')
})
