import { describe, expect, it } from 'vitest'
import { type BenchRecord, summarise } from './record.ts'

const record = (value: number | undefined, disturbed = false): BenchRecord => ({
  case: 'rtt',
  contender: 'x',
  round: 1,
  sample:
    value === undefined ? undefined : { value, details: { p99Us: value * 2 }, cpu: { cloud: value * 10, connector: 30, operations: 10 } },
  error: value === undefined ? 'failed' : undefined,
  disturbed,
  otherPercent: 0,
})

describe('the summary of rounds', () => {
  it('takes medians, of CPU per operation too', () => {
    expect(summarise([record(5), record(1), record(9)])).toEqual({
      median: 5,
      lowest: 1,
      highest: 9,
      cloudCpu: 5,
      connectorCpu: 3,
      details: { p99Us: 10 },
      rounds: 3,
      disturbed: 0,
    })
  })

  it('leaves disturbed rounds out while there are others', () => {
    expect(summarise([record(5), record(100, true)])).toMatchObject({ median: 5, rounds: 2, disturbed: 1 })
    expect(summarise([record(100, true)])).toMatchObject({ median: 100, rounds: 1, disturbed: 1 })
  })

  it('leaves failed rounds out', () => {
    expect(summarise([record(undefined), record(3)])).toMatchObject({ median: 3, rounds: 1 })
    expect(summarise([record(undefined)])).toBeUndefined()
  })
})
