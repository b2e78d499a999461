import type { Claims } from './case.ts'
import type { KeySystemCase, KeySystemCaseName, KeySystemFeature, KeySystemWorld } from './key-system-cases.ts'
import { caseLimitMs } from './limits.ts'

/** One key management system and how its keys are looked after. */
export interface KeySystemSubject extends Claims<KeySystemFeature, KeySystemCaseName> {
  /** A fresh world with the system under test; the suite disposes it. */
  readonly open: () => Promise<KeySystemWorld>
  /** What the system logs on with; no error may show it. */
  readonly secrets?: () => readonly string[]
}

/** Runs one case outside of a test runner's table. */
export async function runKeySystemCase(test: KeySystemCase, subject: Pick<KeySystemSubject, 'open' | 'secrets'>): Promise<void> {
  await using world = await subject.open()
  await test.run({ world, secrets: subject.secrets?.() ?? [], signal: AbortSignal.timeout(caseLimitMs) })
}
