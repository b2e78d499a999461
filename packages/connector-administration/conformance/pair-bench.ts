import { setTimeout as sleep } from 'node:timers/promises'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterEach } from 'vitest'
import { type AdministrationBench, type BenchAnswer, type BenchNetwork, startAdministrationBench } from './administration-bench.ts'
import { region, type SmallCloud, startSmallCloud } from './small-cloud.ts'

export const cfg = '/api/v1/configuration/connector'
export const ha = `${cfg}/ha`
export const demo = `/api/v1/configuration/subaccounts/${region}/demo`
/** Of a user of the master. */
export const credentials = { user: 'Administrator', password: 'a password of the master' }

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})
function keep<T extends AsyncDisposable>(one: T): T {
  opened.push(one)
  return one
}

/** Starts an instance, which ends with the test. */
export async function start(given: Parameters<typeof startAdministrationBench>[0]): Promise<AdministrationBench> {
  return keep(await startAdministrationBench(given))
}

export async function stop(bench: AsyncDisposable): Promise<void> {
  opened.splice(opened.indexOf(bench), 1)
  await bench[Symbol.asyncDispose]()
}

/** Waits for what happens over real connections. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return
    await sleep(10)
  }
  throw new Error('it did not happen')
}

/** Tells a shadow where its master is. */
export function configure(shadow: AdministrationBench, master: { readonly port: number }, others: object = {}): Promise<BenchAnswer> {
  return shadow.call('PUT', `${ha}/shadow/config`, {
    masterHost: '127.0.0.1',
    masterPort: master.port,
    ownHost: '127.0.0.1',
    checkIntervalInSeconds: 10,
    takeoverDelayInSeconds: 5,
    ...others,
  })
}

export function connect(shadow: AdministrationBench, log: object = credentials): Promise<BenchAnswer> {
  return shadow.call('POST', `${ha}/shadow/state`, { op: 'CONNECT', ...log })
}

/** Lets a master have a shadow. */
export async function enable(master: AdministrationBench, others: object = {}): Promise<BenchAnswer> {
  await changePassword(master)
  return await master.call('PUT', `${ha}/master/config`, { haEnabled: true, ...others })
}

/** Nobody logs on with the initial password but to change it. */
export async function changePassword(bench: AdministrationBench): Promise<void> {
  const body = { oldPassword: 'manage', newPassword: credentials.password }
  await bench.send('PUT', `${cfg}/authentication/basic`, { body, user: 'Administrator:manage' })
}

export function switchRoles(master: AdministrationBench, op = 'SWITCH'): Promise<BenchAnswer> {
  return master.call('POST', `${ha}/master/state`, { op })
}

export async function stateOf(bench: AdministrationBench, role: 'master' | 'shadow'): Promise<string> {
  return (await bench.call('GET', `${ha}/${role}/state`)).json().state
}

/** State of the tunnel of the subaccount, as this instance says. */
export async function tunnelOf(bench: AdministrationBench): Promise<string> {
  return (await bench.call('GET', demo)).json().tunnel.state
}

/** Which tunnels the cloud side has, and since when. */
export function held({ service }: SmallCloud): readonly unknown[] {
  return service.tunnels.list().map(({ connectedSinceMs, tunnelId }) => [tunnelId, connectedSinceMs])
}

export async function roleOf(bench: AdministrationBench): Promise<string> {
  return (await bench.call('GET', `${cfg}/haRole`)).json()
}

interface BenchPair {
  readonly master: AdministrationBench
  readonly shadow: AdministrationBench
}

/** A connected pair without subaccounts. */
export async function startPair(others: object = {}): Promise<BenchPair> {
  const master = await start({ haRole: 'master' })
  const shadow = await start({ haRole: 'shadow' })
  await enable(master)
  await configure(shadow, master, others)
  await must(connect(shadow), 204)
  return { master, shadow }
}

/** A connected pair whose master has a tunnel to a cloud side. What the shadow cannot reach is in `network`. */
export async function startConnectedPair(
  cloudOptions: Parameters<typeof startSmallCloud>[0] = {},
): Promise<BenchPair & { readonly cloud: SmallCloud; readonly network: BenchNetwork }> {
  const cloud = keep(await startSmallCloud(cloudOptions))
  const network: BenchNetwork = { cut: false, cloudCut: false }
  // The certificates of the cloud side are of now.
  const master = await start({ haRole: 'master', clock: createManualClock(Date.now()) })
  const shadow = await start({ haRole: 'shadow', clock: createManualClock(Date.now()), network })
  const ownRegion = { name: 'Self', host: region, url: cloud.url, authority: cloud.authority }
  await must(master.call('POST', '/api/private/v1/regions', ownRegion), 201)
  const byUser = { regionHost: region, subaccount: 'demo', cloudUser: 'admin', cloudPassword: 'secret' }
  await must(master.call('POST', '/api/v1/configuration/subaccounts', byUser), 201)
  await enable(master)
  await configure(shadow, master)
  await must(connect(shadow), 204)
  return { master, shadow, cloud, network }
}

async function must(answer: Promise<BenchAnswer>, status: number): Promise<void> {
  const { body, status: actual } = await answer
  if (actual !== status) throw new Error(`the set-up was answered ${actual}: ${body}`)
}

/** Lets time pass on one side, until what is due then has happened. */
export async function pass(bench: AdministrationBench, seconds: number): Promise<void> {
  bench.clock.advance(seconds * 1000)
  await bench.pair.idle()
}

/** Lets time pass in steps, as checks need it whose next one depends on the one before. */
export async function passSteps(bench: AdministrationBench, seconds: number, step = 2): Promise<void> {
  for (let passed = 0; passed < seconds; passed += step) await pass(bench, step)
}

/** Lets the shadow miss its master until it takes over. */
export async function takeOver(shadow: AdministrationBench): Promise<void> {
  await passSteps(shadow, 18)
  await until(async () => (await roleOf(shadow)) === 'master')
}
