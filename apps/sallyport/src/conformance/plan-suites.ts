import {
  adapterCases,
  type CaseRun,
  dialCases,
  httpProxyCases,
  rfcCases,
  runAdapterCase,
  runCases,
  runDialCase,
  runProxyCase,
  runRfcCase,
  socks5Cases,
} from '@sallyport/conformance/cases'
import type { Clock, Dial, Secret } from '@sallyport/core'
import type { ConnectivityBinding } from '@sallyport/destination-client'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { adapterTrials, type AnyAdapterTrial, findMissingLibrary } from './adapter-trials.ts'
import { adapterParts, atLocation, openDialFarSide, openProxyFarSide, openRfcFarSide } from './far-sides.ts'
import type { Target } from './read-target.ts'
import type { SuiteName } from './suites.ts'

/** What the runner of all suites hands to each. */
export type Running = Pick<CaseRun<unknown, string, string>, 'clock' | 'wanted' | 'onResult'>

/** One table and one subject of it. */
export interface PlannedSuite {
  readonly suite: SuiteName
  readonly subject: string
  /** Why it cannot run at this target; `undefined` when it can. */
  because(): Promise<string | undefined>
  run(running: Running): Promise<unknown>
}

/** A target, the addresses of its proxy, and the token that opens it. */
interface Ground {
  readonly target: Target
  readonly connectivity: ConnectivityBinding
  readonly token: Secret
  readonly clock: Clock
}

/** Everything that goes through the proxy of a target, in the order in which it runs. */
export function planSuites(ground: Ground): readonly PlannedSuite[] {
  return [
    ...planDials(ground),
    planHttp(ground),
    planSocks5(ground),
    planRfc(ground),
    ...adapterTrials.map((trial) => planAdapter(ground, trial)),
  ]
}

function planDials(ground: Ground): readonly PlannedSuite[] {
  const { target, token } = ground
  const { httpConnect } = target
  const plan = (subject: string, dial: Dial | undefined, because: string | undefined): PlannedSuite => ({
    suite: 'dial',
    subject,
    because: async () => because,
    async run(running) {
      if (dial === undefined) return
      const claims = { features: { silence: false, locations: false, refusals: true }, knownGaps: gapsOf(target, 'dial', subject) }
      const parts = { open: async () => openDialFarSide(target, dial), secrets: secretsOf(token), limitMs: limitOf(target) }
      await runCases({ ...running, suite: 'dial', subject, cases: dialCases, claims, run: (test) => runDialCase(test, parts) })
    },
  })
  const { credentials, proxy } = httpConnect ?? {}
  const connectDial =
    proxy === undefined ? undefined : createProxyDial({ kind: 'http', proxy, ...(credentials === undefined ? {} : { credentials }) })
  return [
    plan('socks5', socksDial(ground), withoutSocks(ground)),
    plan('http connect', connectDial, httpConnect === undefined ? 'the target names no httpConnect' : withoutAddresses(target, 'tcp')),
  ]
}

function planHttp({ target, connectivity, token }: Ground): PlannedSuite {
  const features = { ...target.features, ...addressFeatures(target) }
  const parts = { open: async () => openProxyFarSide(target, connectivity.httpProxy, target.http, token), limitMs: limitOf(target) }
  return {
    suite: 'http',
    subject: 'listener',
    because: async () => withoutAddresses(target, 'http'),
    run: (running) =>
      runCases({
        ...running,
        suite: 'http',
        subject: 'listener',
        cases: httpProxyCases,
        claims: { features, knownGaps: gapsOf(target, 'http', 'listener') },
        run: (test) => runProxyCase(test, parts),
      }),
  }
}

function planSocks5(ground: Ground): PlannedSuite {
  const { target, connectivity, token } = ground
  const { authorization } = target.features
  const features = { ...addressFeatures(target), authorization, dotted: target.dotted !== undefined }
  return {
    suite: 'socks5',
    subject: 'listener',
    because: async () => withoutSocks(ground),
    async run(running) {
      const { socks5Proxy } = connectivity
      if (socks5Proxy === undefined) return
      const parts = { open: async () => openProxyFarSide(target, socks5Proxy, target.tcp, token), limitMs: limitOf(target) }
      await runCases({
        ...running,
        suite: 'socks5',
        subject: 'listener',
        cases: socks5Cases,
        claims: { features, knownGaps: gapsOf(target, 'socks5', 'listener') },
        run: (test) => runProxyCase(test, parts),
      })
    },
  }
}

function planRfc(ground: Ground): PlannedSuite {
  const { target } = ground
  const dial = socksDial(ground)
  return {
    suite: 'rfc',
    subject: 'socks5',
    because: async () => withoutSocks(ground, 'rfc'),
    async run(running) {
      if (dial === undefined) return
      const features = { relay: target.features.relay, refusals: target.notExposed !== undefined }
      const claims = { features, knownGaps: gapsOf(target, 'rfc', 'socks5') }
      const parts = { open: async () => openRfcFarSide(target, dial), limitMs: limitOf(target) }
      await runCases({ ...running, suite: 'rfc', subject: 'socks5', cases: rfcCases, claims, run: (test) => runRfcCase(test, parts) })
    },
  }
}

function planAdapter(ground: Ground, trial: AnyAdapterTrial): PlannedSuite {
  const { target, connectivity, token, clock } = ground
  const proxy = { address: connectivity.httpProxy, tenant: '', token: async () => token, forget: () => {} }
  const deps = { clock, proxy, location: target.location }
  const dial = trial.over === 'http' ? createDirectDial() : socksDial(ground)
  return {
    suite: 'adapters',
    subject: trial.name,
    because: async () => withoutWay(ground, trial) ?? (await findMissingLibrary(trial, deps)),
    async run(running) {
      if (dial === undefined) return
      const adapter = await trial.create(deps)
      const parts = { ...adapterParts(target, trial, { dial, token, limitMs: limitOf(target) }), create: () => adapter }
      const features = { ...trial.backend.features, principal: false, locations: trial.over === 'socks5' }
      const claims = { features, knownGaps: gapsOf(target, 'adapters', trial.name) }
      const { name: subject } = trial
      await runCases({ ...running, suite: 'adapters', subject, cases: adapterCases, claims, run: (test) => runAdapterCase(test, parts) })
    },
  }
}

function withoutWay(ground: Ground, { over, mappings }: AnyAdapterTrial): string | undefined {
  return over === 'http' ? withoutAddresses(ground.target, mappings) : withoutSocks(ground, mappings)
}

function withoutSocks({ target, connectivity }: Ground, mappings: AnyAdapterTrial['mappings'] = 'tcp'): string | undefined {
  if (connectivity.socks5Proxy === undefined) return 'the binding names no SOCKS5 port'
  return withoutAddresses(target, mappings)
}

function withoutAddresses(target: Target, mappings: AnyAdapterTrial['mappings']): string | undefined {
  return target[mappings].length === 0 ? `farSide.${mappings} names no addresses` : undefined
}

function socksDial({ target, connectivity, token }: Ground): Dial | undefined {
  const { socks5Proxy: proxy } = connectivity
  return proxy === undefined ? undefined : atLocation(createProxyDial({ kind: 'socks5', proxy, token: async () => token }), target.location)
}

/** Features that come with what the target file names. */
function addressFeatures(target: Target): { readonly refusals: boolean; readonly locations: boolean; readonly users: boolean } {
  return {
    refusals: target.notExposed !== undefined,
    locations: target.elsewhereLocation !== undefined,
    users: target.users.length === 2,
  }
}

/** Of the suite, and of this subject of it alone. */
function gapsOf(target: Target, suite: SuiteName, subject: string): Readonly<Record<string, string>> {
  return { ...target.knownGaps[suite], ...target.knownGaps[`${suite}/${subject}`] }
}

function limitOf(target: Target): number {
  return target.limitSeconds * 1000
}

function secretsOf(token: Secret): readonly string[] {
  return token.reveal() === '' ? [] : [token.reveal()]
}
