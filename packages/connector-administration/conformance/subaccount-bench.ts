import { createManualClock, type ManualClock } from '@sallyport/test-fixtures'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from './administration-bench.ts'
import { region, type SmallCloud, startSmallCloud } from './small-cloud.ts'

export const subaccounts = '/api/v1/configuration/subaccounts'
export const demo = `${subaccounts}/${region}/demo`
/** What adds a subaccount by user and password. */
export const byUser = { regionHost: region, subaccount: 'demo', cloudUser: 'admin', cloudPassword: 'secret' }

/** A connector under administration, and a cloud side in a region that it knows. */
export interface SubaccountBench extends AsyncDisposable {
  readonly clock: ManualClock
  readonly cloud: SmallCloud
  /** Another one after every start. */
  readonly bench: AdministrationBench
  /** Adds the subaccount, unless told otherwise by user and password. */
  add(more?: object): Promise<BenchAnswer>
  /** The subaccount, as the REST API shows it. */
  read(): Promise<any>
  /** What the cloud side has tunnels of. */
  tunnels(): readonly string[]
  stop(): Promise<void>
  /** Starts again, with what the one before has left behind. */
  start(given?: Parameters<typeof startAdministrationBench>[0]): Promise<void>
  restart(given?: Parameters<typeof startAdministrationBench>[0]): Promise<void>
}

/** Starts both, without a subaccount. */
export async function startSubaccountBench(): Promise<SubaccountBench> {
  const clock = createManualClock(Date.now())
  const cloud = await startSmallCloud({ clock })
  let bench = await startAdministrationBench({ haRole: 'master', clock })
  await bench.call('POST', '/api/private/v1/regions', { name: 'Self', host: region, url: cloud.url, authority: cloud.authority })
  const world: SubaccountBench = {
    clock,
    cloud,
    get bench() {
      return bench
    },
    add: (more = {}) => bench.call('POST', subaccounts, { ...byUser, ...more }),
    read: async () => (await bench.call('GET', demo)).json(),
    tunnels: () => cloud.service.tunnels.list().map(({ tunnelId }) => tunnelId),
    stop: async () => await bench[Symbol.asyncDispose](),
    async start(given) {
      bench = await startAdministrationBench({ clock, material: bench.material, ...given })
    },
    async restart(given) {
      await world.stop()
      await world.start(given)
    },
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]()
      await cloud[Symbol.asyncDispose]()
    },
  }
  return world
}
