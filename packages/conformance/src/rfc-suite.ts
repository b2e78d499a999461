import type { Claims } from './case.ts'
import { caseLimitMs } from './limits.ts'
import type { RfcCaseName } from './rfc-cases.ts'
import type { RfcCase, RfcFarSide, RfcFeature } from './rfc-cases/rfc-case.ts'

/** One way to gateways of ABAP systems. */
export interface RfcSubject extends Claims<RfcFeature, RfcCaseName> {
  /** A fresh far side; the suite disposes it. */
  readonly open: () => Promise<RfcFarSide>
  /** Longest wait of a case; the default is ten seconds. Broken subjects are given less. */
  readonly limitMs?: number
}

/** Runs one case outside of a test runner's table, for example against a way that is broken on purpose. */
export async function runRfcCase(test: RfcCase, subject: Pick<RfcSubject, 'open' | 'limitMs'>): Promise<void> {
  await using far = await subject.open()
  await test.run({ far, signal: AbortSignal.timeout(subject.limitMs ?? caseLimitMs) })
}
