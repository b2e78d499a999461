import { expect, it } from 'vitest'
import { bulkOne } from './cases/bulk.ts'
import { product } from './goals.ts'
import type { BenchRecord } from './record.ts'
import { formatReport } from './report.ts'

const record = (contender: string, value: number | undefined, disturbed = false): BenchRecord => ({
  case: 'bulk1',
  contender,
  round: 1,
  sample: value === undefined ? undefined : { value, details: {} },
  error: value === undefined ? 'no route' : undefined,
  disturbed,
  otherPercent: 0,
})

it('the report gives medians and says which goals are reached', () => {
  const report = formatReport(
    [bulkOne],
    [record(product, 1200), record('rathole', 1000), record('chisel', 500, true), record('ssh', undefined)],
  )
  expect(report).toMatch(/bulk1: bulk, 1 stream, MB\/s/)
  expect(report).toMatch(/sallyport +1200/)
  expect(report).toMatch(/ssh +failed: no route/)
  expect(report).toMatch(/bulk1 +rathole +1\.20 +≥ 1\.15 +reached\n/)
  expect(report).toMatch(/bulk1 +chisel +2\.40 +≥ 3 +missed, but every round was disturbed\n/)
})
