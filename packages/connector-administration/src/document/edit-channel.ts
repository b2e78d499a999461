import { localPortOf, type ServiceChannelEntry } from '@sallyport/admin-api'
import { invalidRequest, notFound } from '../rest/rest-error.ts'
import type { AdministeredChannel } from './administered-channel.ts'
import type { AdministeredDocument } from './administered-document.ts'
import type { AdministeredSubaccount, SubaccountKey } from './administered-subaccount.ts'
import { editSubaccount, findSubaccount } from './edit-subaccount.ts'

/** Names a channel. Numbers are unique across types, and yet a channel is found below its own type only. */
export interface ChannelKey extends SubaccountKey {
  readonly type: ServiceChannelEntry['type']
  readonly id: number
}

/** The channel of a type and number. @throws RestError 404. */
export function findChannel(subaccount: AdministeredSubaccount, { id, type }: Pick<ChannelKey, 'id' | 'type'>): AdministeredChannel {
  const found = subaccount.channels.find((channel) => channel.id === id && channel.type === type)
  if (found === undefined) throw notFound(`Service channel with value '${id}' does not exist`)
  return found
}

/**
 * The document with one more channel, under a number that no channel of its subaccount has ever had.
 *
 * @throws RestError 404 without the subaccount, 400 when another channel has its port.
 */
export function addChannel(
  document: AdministeredDocument,
  key: SubaccountKey,
  make: (id: number) => AdministeredChannel,
): { readonly document: AdministeredDocument; readonly channel: AdministeredChannel } {
  const channel = make(findSubaccount(document, key).nextChannelId)
  const edited = editSubaccount(document, key, (entry) => ({
    ...entry,
    nextChannelId: channel.id + 1,
    channels: [...entry.channels, channel],
  }))
  return { document: withoutSharedPort(edited, channel), channel }
}

/** The document with one channel replaced by what `edit` makes of it. @throws RestError 404 without the channel, 400 when another has its port. */
export function editChannel(
  document: AdministeredDocument,
  key: ChannelKey,
  edit: (channel: AdministeredChannel) => AdministeredChannel,
): AdministeredDocument {
  const before = findChannel(findSubaccount(document, key), key)
  const after = edit(before)
  if (after === before) return document
  const edited = editSubaccount(document, key, (entry) => ({
    ...entry,
    channels: entry.channels.map((channel) => (channel === before ? after : channel)),
  }))
  const isMoved = before.host !== after.host || localPortOf(before) !== localPortOf(after)
  return isMoved ? withoutSharedPort(edited, after) : edited
}

/** Two channels of one port could never be open together, and it would be hard to tell which one a client meant. */
function withoutSharedPort(document: AdministeredDocument, channel: AdministeredChannel): AdministeredDocument {
  for (const { channels, regionHost, subaccount } of document.subaccounts) {
    const other = channels.find((each) => each !== channel && each.host === channel.host && localPortOf(each) === localPortOf(channel))
    if (other !== undefined)
      throw invalidRequest(
        `port ${localPortOf(channel)} of ${channel.host} is already that of the service channel ${other.id} (${other.type}) of ${subaccount}@${regionHost}`,
      )
  }
  return document
}
