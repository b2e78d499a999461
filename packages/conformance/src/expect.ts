import { AssertionError } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'

/** What a case can say about one value. Each throws an `AssertionError` with `expected` and `actual`, which test runners and reports show. */
export interface Expectation {
  /** The same value, as `Object.is` compares. */
  toBe(expected: unknown): void
  /** The same structure, prototypes included. */
  toEqual(expected: unknown): void
  toContain(expected: string): void
  toMatch(expected: RegExp): void
  toBeGreaterThan(expected: number): void
  toBeLessThan(expected: number): void
  toBeLessThanOrEqual(expected: number): void
  readonly not: Omit<Expectation, 'not'>
}

/**
 * The few expectations that cases need. They are our own because cases also run outside of a test runner, where Vitest's
 * cannot be imported; what they throw is Node's `AssertionError`, so that every runner shows the difference.
 *
 * @param what said in front, where a value alone would not tell what it is.
 */
export function expect(actual: unknown, what?: string): Expectation {
  return { ...judge(actual, what, true), not: judge(actual, what, false) }
}

/** Fails a case that has no single value to look at. */
export function failCase(message: string): never {
  throw new AssertionError({ message })
}

function judge(actual: unknown, what: string | undefined, wanted: boolean): Omit<Expectation, 'not'> {
  const check = (holds: boolean, relation: string, expected: unknown): void => {
    if (holds === wanted) return
    const subject = what === undefined ? '' : `${what}: `
    const message = `${subject}expected ${shown(actual)} ${wanted ? '' : 'not '}${relation} ${shown(expected)}`
    throw new AssertionError({ message, actual, expected, operator: relation })
  }
  const compare = (holds: (value: number) => boolean, relation: string, expected: number): void =>
    check(typeof actual === 'number' && holds(actual), relation, expected)
  return {
    toBe: (expected) => check(Object.is(actual, expected), 'to be', expected),
    toEqual: (expected) => check(isDeepStrictEqual(actual, expected), 'to equal', expected),
    toContain: (expected) => check(listOf(actual).includes(expected), 'to contain', expected),
    toMatch: (expected) => check(typeof actual === 'string' && expected.test(actual), 'to match', expected),
    toBeGreaterThan: (expected) => compare((value) => value > expected, 'to be greater than', expected),
    toBeLessThan: (expected) => compare((value) => value < expected, 'to be less than', expected),
    toBeLessThanOrEqual: (expected) => compare((value) => value <= expected, 'to be at most', expected),
  }
}

/** A text, or a list of them. */
function listOf(actual: unknown): { includes(expected: string): boolean } {
  return typeof actual === 'string' || Array.isArray(actual) ? actual : []
}

function shown(value: unknown): string {
  return inspect(value, { depth: 3, maxStringLength: 300, maxArrayLength: 20, breakLength: Number.POSITIVE_INFINITY })
}
