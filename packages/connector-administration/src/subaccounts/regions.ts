import type { ServerTrust } from '@sallyport/cloud-connector'
import type { CustomRegion } from '../document/custom-region.ts'
import { invalidRequest } from '../rest/rest-error.ts'

/** A region that can be chosen. */
export interface Region {
  readonly name: string
  readonly host: string
  readonly custom: boolean
}

/** Where connectors of a region are made known, and by what the service there is recognised. */
export interface RegionService {
  readonly url: string
  readonly authority?: string | undefined
}

/** Regions of the multi-cloud environment: place and provider by the part of the host that differs. */
const known: Readonly<Record<string, string>> = {
  ap10: 'Australia (Sydney) - AWS',
  ap11: 'Singapore - AWS',
  ap12: 'South Korea (Seoul) - AWS',
  ap20: 'Australia (Sydney) - Azure',
  ap21: 'Singapore - Azure',
  ap30: 'Australia (Sydney) - GCP',
  br10: 'Brazil (São Paulo) - AWS',
  br20: 'Brazil (São Paulo) - Azure',
  ca10: 'Canada (Montreal) - AWS',
  ca20: 'Canada (Toronto) - Azure',
  ch20: 'Switzerland (Zurich) - Azure',
  eu10: 'Europe (Frankfurt) - AWS',
  eu11: 'Europe (Frankfurt), EU access - AWS',
  eu20: 'Europe (Netherlands) - Azure',
  eu30: 'Europe (Frankfurt) - GCP',
  il30: 'Israel (Tel Aviv) - GCP',
  in30: 'India (Mumbai) - GCP',
  jp10: 'Japan (Tokyo) - AWS',
  jp20: 'Japan (Tokyo) - Azure',
  jp30: 'Japan (Osaka) - GCP',
  us10: 'US East (Virginia) - AWS',
  us11: 'US West (Oregon) - AWS',
  us20: 'US West (Washington) - Azure',
  us21: 'US East (Virginia) - Azure',
  us30: 'US Central (Iowa) - GCP',
}

/** Every region that can be chosen, those that were added first. */
export function listRegions(custom: readonly CustomRegion[]): readonly Region[] {
  const added = custom.map(({ host, name }) => ({ name, host, custom: true }))
  const usual = Object.entries(known).map(([part, name]) => ({ name, host: `cf.${part}.hana.ondemand.com`, custom: false }))
  return [...added, ...usual.filter(({ host }) => !added.some((other) => sameHost(other.host, host)))]
}

/** The service of a region: as it was added, or below the usual prefix. @throws RestError 400 for what is no host name. */
export function serviceOf(regionHost: string, custom: readonly CustomRegion[]): RegionService {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(regionHost)) throw invalidRequest(`"${regionHost}" is not a region host`)
  const added = custom.find(({ host }) => sameHost(host, regionHost))
  return { url: added?.url ?? `https://connectivitycertsigning.${regionHost}`, authority: added?.authority }
}

/** How the service is recognised. */
export function trustOf({ authority }: RegionService): ServerTrust {
  return authority === undefined ? { system: true } : { authorities: authority }
}

/** Whether a region is one of the old environment, where certificates are not renewed by themselves. */
export function isNeo(regionHost: string): boolean {
  return /^(?:[a-z]{2}\d\.)?hana(?:trial)?\.ondemand\.com$/i.test(regionHost)
}

function sameHost(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
