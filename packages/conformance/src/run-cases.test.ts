import { type Clock, ConnectivityError } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import type { Case, Claims } from './case.ts'
import { expect as expectInCase } from './expect.ts'
import { type CaseResult, runCases } from './run-cases.ts'

type Name = 'passes' | 'compares' | 'refused' | 'needs more' | 'throws text'

let now = 0
const clock: Clock = { now: () => now, elapsed: () => now, after: () => () => {} }

const cases: Readonly<Record<Name, Case<undefined, 'more'>>> = {
  passes: { proves: ['XX-001'], run: async () => void (now += 7) },
  compares: { run: async () => expectInCase('407', 'the status').toBe('200') },
  refused: { run: () => Promise.reject(new ConnectivityError('ACCESS_DENIED', 'no')) },
  'needs more': { requires: 'more', run: async () => {} },
  // oxlint-disable-next-line prefer-promise-reject-errors -- whatever a case throws is reported
  'throws text': { run: () => Promise.reject('just text') },
}

function run(claims: Partial<Claims<'more', Name>> = {}, wanted?: (name: Name) => boolean): Promise<readonly CaseResult[]> {
  return runCases({
    suite: 'suite',
    subject: 'subject',
    cases,
    claims: { features: { more: false }, ...claims },
    run: (test) => test.run(undefined),
    clock,
    ...(wanted === undefined ? {} : { wanted }),
  })
}

describe('a table that runs without a test runner', () => {
  it('tells for each case how it ended, what was expected and what was seen', async () => {
    const common = { suite: 'suite', subject: 'subject', ids: [], durationMs: 0 }
    expect(await run({ proves: { passes: 'XX-002 XX-003' } })).toEqual([
      { ...common, name: 'passes', ids: ['XX-001', 'XX-002', 'XX-003'], outcome: 'passed', durationMs: 7 },
      {
        ...common,
        name: 'compares',
        outcome: 'failed',
        failure: { message: "the status: expected '407' to be '200'", expected: '200', actual: '407' },
      },
      { ...common, name: 'refused', outcome: 'failed', failure: { message: 'ACCESS_DENIED: no' } },
      { ...common, name: 'needs more', outcome: 'skipped', reason: 'needs more' },
      { ...common, name: 'throws text', outcome: 'failed', failure: { message: 'just text' } },
    ])
  })

  it('takes a known gap for what it is, and for a failure once it passes', async () => {
    const results = await run({ knownGaps: { refused: 'not yet', passes: 'was broken once' } })
    expect(results.find(({ name }) => name === 'refused')).toMatchObject({ outcome: 'known gap', reason: 'not yet' })
    expect(results.find(({ name }) => name === 'passes')).toMatchObject({
      outcome: 'failed',
      failure: { message: 'passes although it is listed as a known gap (was broken once); take it off the list' },
    })
  })

  it('runs what is wanted, and what its features allow', async () => {
    expect((await run({ features: { more: true } }, (name) => name === 'needs more')).map(({ outcome }) => outcome)).toEqual(['passed'])
  })
})
