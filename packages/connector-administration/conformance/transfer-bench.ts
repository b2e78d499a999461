import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

export const region = 'cf.eu10.hana.ondemand.com'

/** A mapping to an ABAP system, as it is sent. */
export function mappingTo(localHost: string, virtualHost: string): object {
  return {
    virtualHost,
    virtualPort: '443',
    localHost,
    localPort: '44300',
    protocol: 'HTTPS',
    backendType: 'abapSys',
    authenticationMode: 'NONE_RESTRICTED',
  }
}

/** Starts a connector with the subaccounts `from` and `to`, both empty. */
export async function startTransferBench(): Promise<AdministrationBench> {
  const bench = await startAdministrationBench({ haRole: 'master' })
  for (const subaccount of ['from', 'to']) await bench.expose({ regionHost: region, subaccount })
  return bench
}

/** Brings what `from` has to `to`; settles with the status of the answer. */
type Bring = (options: Readonly<Record<string, string>>) => Promise<number>

/** The ways from one subaccount to the other: an archive, by itself and imported, and the direct one. */
export function waysOf(
  what: 'accessControl' | 'configuration',
  bench: () => AdministrationBench,
): { archive(): Promise<Buffer>; readonly importing: Bring; readonly copying: Bring } {
  const path = (subaccount: string): string => `/api/private/v1/subaccounts/${region}/${subaccount}/${what}`
  const archive = async (): Promise<Buffer> => (await bench().call('GET', path('from'))).bytes
  return {
    archive,
    importing: async (options) =>
      (await bench().upload('POST', path('to'), [['archive', await archive()], ...Object.entries(options)])).status,
    copying: async (options) =>
      (await bench().call('POST', `${path('to')}/copy`, { regionHost: region, subaccount: 'from', ...options })).status,
  }
}
