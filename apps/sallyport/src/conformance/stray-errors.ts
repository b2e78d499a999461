import type { EventEmitter } from 'node:events'
import type { CaseResult } from '@sallyport/conformance/cases'
import type { SecretFilter } from './secret-filter.ts'

/** Errors that nobody waited for, until it is disposed. */
export interface StrayErrors extends Disposable {
  /** Each is a failure of its own, without the secrets that are known by now. */
  results(): readonly CaseResult[]
}

/** Such an error must not cost the report. */
export function collectStrayErrors(filter: SecretFilter, source: EventEmitter = process): StrayErrors {
  const errors: unknown[] = []
  const collect = (error: unknown): void => void errors.push(error)
  source.on('uncaughtException', collect).on('unhandledRejection', collect)
  return {
    results: () => errors.map((error) => filter.clean(resultOf(error))),
    [Symbol.dispose]: () => void source.off('uncaughtException', collect).off('unhandledRejection', collect),
  }
}

function resultOf(error: unknown): CaseResult {
  return {
    suite: 'run',
    subject: 'errors',
    name: 'an error outside of all cases',
    ids: [],
    outcome: 'failed',
    failure: { message: error instanceof Error ? error.message : String(error) },
    durationMs: 0,
  }
}
