import { AssertionError } from 'node:assert'
import { inspect } from 'node:util'
import { type Clock, ConnectivityError } from '@sallyport/core'
import { type Case, type Claims, provenBy } from './case.ts'

/** How one case ended for one subject. */
export interface CaseResult {
  /** Which table, such as `dial`. */
  readonly suite: string
  /** Which of several subjects of that table, such as `socks5`. */
  readonly subject: string
  readonly name: string
  /** Checklist lines that the case proves. */
  readonly ids: readonly string[]
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'known gap'
  /** Why it was skipped, or what the known gap is. */
  readonly reason?: string
  readonly failure?: CaseFailure
  readonly durationMs: number
}

/** What a failing case has to say. `expected` and `actual` are there where it compared two values. */
export interface CaseFailure {
  readonly message: string
  readonly expected?: string
  readonly actual?: string
}

/** One subject and the cases of its table, ready to run outside of a test runner. */
export interface CaseRun<Context, Feature extends string, Name extends string> {
  readonly suite: string
  readonly subject: string
  readonly cases: Readonly<Record<Name, Case<Context, Feature>>>
  readonly claims: Claims<Feature, Name>
  readonly run: (test: Case<Context, Feature>) => Promise<void>
  /** Cases that are left out altogether; all run unless given. */
  readonly wanted?: (name: Name, ids: readonly string[]) => boolean
  readonly clock: Clock
  readonly onResult?: (result: CaseResult) => void
}

/** Runs the cases of one subject one after the other. Never throws for what a case does; a known gap that passes counts as failed. */
export async function runCases<Context, Feature extends string, Name extends string>(
  options: CaseRun<Context, Feature, Name>,
): Promise<readonly CaseResult[]> {
  const { suite, subject, cases, claims, clock } = options
  const results: CaseResult[] = []
  for (const name of Object.keys(cases) as Name[]) {
    const test = cases[name]
    const ids = provenBy(name, test, claims)
    if (options.wanted?.(name, ids) === false) continue
    const begun = clock.now()
    const verdict = await judge(test, claims, claims.knownGaps?.[name], options.run)
    const result = { suite, subject, name, ids, ...verdict, durationMs: clock.now() - begun }
    results.push(result)
    options.onResult?.(result)
  }
  return results
}

async function judge<Context, Feature extends string>(
  test: Case<Context, Feature>,
  claims: Claims<Feature, string>,
  gap: string | undefined,
  run: (test: Case<Context, Feature>) => Promise<void>,
): Promise<Pick<CaseResult, 'outcome' | 'reason' | 'failure'>> {
  if (test.requires !== undefined && !claims.features[test.requires]) return { outcome: 'skipped', reason: `needs ${test.requires}` }
  try {
    await run(test)
  } catch (error) {
    return gap === undefined ? { outcome: 'failed', failure: describeFailure(error) } : { outcome: 'known gap', reason: gap }
  }
  if (gap === undefined) return { outcome: 'passed' }
  return { outcome: 'failed', failure: { message: `passes although it is listed as a known gap (${gap}); take it off the list` } }
}

/** What the report says of an error. */
function describeFailure(error: unknown): CaseFailure {
  if (error instanceof AssertionError) {
    const compared = error.operator !== undefined && error.operator !== 'fail'
    return { message: error.message, ...(compared ? { expected: shown(error.expected), actual: shown(error.actual) } : {}) }
  }
  if (ConnectivityError.is(error)) return { message: `${error.code}: ${error.message}` }
  return { message: error instanceof Error ? error.message : shown(error) }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 2000) : inspect(value, { depth: 3, maxStringLength: 2000, maxArrayLength: 50 })
}
