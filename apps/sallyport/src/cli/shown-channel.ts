import { channelTypes, defaultChannelHost } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { Administration } from '../connector-client/administration.ts'
import { type ListedSubaccount, subaccountPath } from './chosen-subaccount.ts'

/** A service channel as the REST API shows it; the rest of its members depends on its type. */
export interface ShownChannel {
  readonly id: number
  readonly type: (typeof channelTypes)[number]
  readonly host: string
  readonly port: number
  readonly enabled: boolean
  readonly comment: string
  readonly abapCloudTenantHost?: string
  readonly k8sCluster?: string
  readonly k8sService?: string
  readonly hanaInstanceName?: string
  readonly endpointId?: string
  /** Of one that is enabled. */
  readonly state?: { readonly connected: boolean; readonly openedConnections: number }
}

/** All channels of a subaccount, by their numbers. */
export async function listChannels(administration: Administration, key: ListedSubaccount): Promise<readonly ShownChannel[]> {
  const lists = await Promise.all(
    channelTypes.map(async (type) =>
      (await administration.get<readonly (Omit<ShownChannel, 'host' | 'type'> & { readonly host?: string })[]>(channelPath(key, type))).map(
        // Answers leave out the address that channels usually have.
        (channel) => ({ host: defaultChannelHost, ...channel, type }),
      ),
    ),
  )
  return lists.flat().toSorted((a, b) => a.id - b.id)
}

/** The channel of a number. @throws ConnectivityError `NOT_FOUND`. */
export async function findChannel(administration: Administration, key: ListedSubaccount, id: string): Promise<ShownChannel> {
  const found = (await listChannels(administration, key)).find((channel) => String(channel.id) === id)
  if (found !== undefined) return found
  throw new ConnectivityError('NOT_FOUND', `${key.subaccount} has no service channel ${id}`, {
    details: { next: 'sallyport channel list' },
  })
}

/** Path of the channels of a type. */
export function channelPath(key: ListedSubaccount, type: ShownChannel['type']): string {
  return `${subaccountPath(key)}/channels/${type}`
}

/** Where a channel leads to. */
export function targetOf({ abapCloudTenantHost, endpointId, hanaInstanceName, k8sCluster, k8sService }: ShownChannel): string {
  if (k8sCluster !== undefined) return k8sService === undefined ? k8sCluster : `${k8sCluster}/${k8sService}`
  return abapCloudTenantHost ?? hanaInstanceName ?? endpointId ?? ''
}
