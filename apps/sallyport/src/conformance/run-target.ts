import { type CaseResult, runCases, runServiceCase, serviceCases } from '@sallyport/conformance/cases'
import { type Clock, createSecret, type Secret } from '@sallyport/core'
import { requireFreeSlots } from './far-slots.ts'
import { planSuites, type Running } from './plan-suites.ts'
import type { Target } from './read-target.ts'
import type { SecretFilter } from './secret-filter.ts'
import type { SuiteName } from './suites.ts'
import { openTargetServices, type TargetServices } from './target-services.ts'

/** What to run, and who hears of it. */
export interface TargetRun {
  readonly suites: readonly SuiteName[]
  /** Only cases whose title or checklist line contains this, whatever its case. */
  readonly caseText?: string
  readonly clock: Clock
  /** Learns what the target keeps secret. */
  readonly filter: SecretFilter
  readonly onResult?: (result: CaseResult) => void
}

/** The name of the one result of a suite that did not run at all. */
const wholeSuite = '(all cases)'

/**
 * Points the suites at a target, one after the other. Texts that must stay secret are taken out of the results.
 *
 * @throws ConnectivityError `PORT_IN_USE` and `CONFIGURATION_INVALID` when the far side cannot be played, `BINDING_INVALID`.
 */
export async function runTarget(target: Target, { suites, caseText, clock, filter, onResult }: TargetRun): Promise<readonly CaseResult[]> {
  for (const user of target.users) filter.hide(user.reveal())
  const connecting = target.httpConnect?.credentials
  if (connecting !== undefined) filter.hide(connecting.password.reveal(), connecting.user)
  await using services = await openTargetServices(target, clock, filter)
  await requireFreeSlots([...target.tcp, ...target.http, ...target.rfc, ...(target.dotted === undefined ? [] : [target.dotted])])
  const results: CaseResult[] = []
  const add = (result: CaseResult): void => {
    const shown = filter.clean(result)
    results.push(shown)
    onResult?.(shown)
  }
  const addWhole = (suite: SuiteName, subject: string, how: Pick<CaseResult, 'outcome' | 'reason' | 'failure'>): void =>
    add({ suite, subject, name: wholeSuite, ids: [], durationMs: 0, ...how })
  const running: Running = { clock, wanted: wantedBy(caseText), onResult: add }

  if (suites.includes('services')) {
    const { subject: claims } = services
    const run = (test: (typeof serviceCases)[keyof typeof serviceCases]): Promise<void> => runServiceCase(test, claims)
    await runCases({ ...running, suite: 'services', subject: 'bindings', cases: serviceCases, claims, run })
  }
  const throughProxy = suites.filter((suite): suite is SuiteName => suite !== 'services')
  if (throughProxy.length === 0) return results
  let token: Secret
  try {
    token = await tokenOf(target, services)
  } catch (error) {
    const failure = { message: `no token for the proxy: ${error instanceof Error ? error.message : String(error)}` }
    for (const suite of throughProxy) addWhole(suite, 'target', { outcome: 'failed', failure })
    return results
  }
  filter.hide(token.reveal())
  for (const planned of planSuites({ target, connectivity: services.connectivity, token, clock })) {
    if (!throughProxy.includes(planned.suite)) continue
    const reason = await planned.because()
    if (reason === undefined) await planned.run(running)
    else if (caseText === undefined) addWhole(planned.suite, planned.subject, { outcome: 'skipped', reason })
  }
  return results
}

/** None where the proxy wants none. */
async function tokenOf(target: Target, services: TargetServices): Promise<Secret> {
  if (!target.features.authorization) return createSecret('')
  return services.token(AbortSignal.timeout(target.limitSeconds * 1000))
}

function wantedBy(text: string | undefined): (name: string, ids: readonly string[]) => boolean {
  const wanted = text?.toLowerCase()
  return (name, ids) => wanted === undefined || [name, ...ids].some((one) => one.toLowerCase().includes(wanted))
}
