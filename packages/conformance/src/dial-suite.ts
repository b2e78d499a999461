import type { Claims } from './case.ts'
import type { DialCase, DialCaseName, DialFarSide, DialFeature } from './dial-cases.ts'
import { caseLimitMs } from './limits.ts'

/** One dial and the world around it. */
export interface DialSubject extends Claims<DialFeature, DialCaseName> {
  /** A fresh far side with the dial under test; the suite disposes it. */
  readonly open: () => Promise<DialFarSide>
  /** Tokens and passwords that the dial presents; no error may show them. */
  readonly secrets?: readonly string[]
  /** Longest wait of a case; the default is ten seconds. Broken subjects are given less. */
  readonly limitMs?: number
}

/** Runs one case outside of a test runner's table, for example against a dial that is broken on purpose. */
export async function runDialCase(test: DialCase, subject: Pick<DialSubject, 'open' | 'secrets' | 'limitMs'>): Promise<void> {
  await using far = await subject.open()
  await test.run({ far, secrets: subject.secrets ?? [], signal: AbortSignal.timeout(subject.limitMs ?? caseLimitMs) })
}
