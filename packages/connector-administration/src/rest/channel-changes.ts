import { channelKey, type ChannelStatus } from '@sallyport/cloud-connector'
import type { Clock } from '@sallyport/core'
import type { AdministeredChannel } from '../document/administered-channel.ts'
import { isSubaccount, type SubaccountKey } from '../document/administered-subaccount.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { addChannel, type ChannelKey, editChannel, findChannel } from '../document/edit-channel.ts'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import type { SubaccountLifecycle } from '../subaccounts/subaccount-lifecycle.ts'
import { notFound, RestError } from './rest-error.ts'
import type { Call } from './route.ts'
import { type IsLocked, requireChangeable } from './subaccount-path.ts'

/** What the routes of service channels work on. */
export interface ServiceChannelsOptions {
  readonly editor: ConfigurationEditor
  readonly lifecycle: Pick<SubaccountLifecycle, 'linkOf' | 'whenChannelServed'>
  readonly clock: Clock
  readonly isLocked: IsLocked
}

/** Who asks for a change. */
type ByCaller = Pick<Call<unknown>, 'caller'>

/** Adds a channel under a new number, and returns that. @throws RestError 400 when its port is that of another one, 404. */
export async function createChannel(
  { editor, isLocked }: ServiceChannelsOptions,
  { caller }: ByCaller,
  key: SubaccountKey,
  make: (id: number) => AdministeredChannel,
): Promise<number> {
  let id = 0
  await editor.change(caller.user, (document) => {
    requireChangeable(document, key, caller, isLocked)
    const added = addChannel(document, key, make)
    id = added.channel.id
    return added.document
  })
  return id
}

/** Changes a channel. One that is open stays so, or everything is as it was before. @throws RestError 404; 500 then. */
export async function changeChannel(
  options: ServiceChannelsOptions,
  call: ByCaller,
  key: ChannelKey,
  edit: (channel: AdministeredChannel) => AdministeredChannel,
): Promise<void> {
  const isOpen = statusOf(options, key)?.state.kind === 'open'
  await changeAndServe(options, call, key, isOpen, edit)
}

/** Enables a channel, or disables it. What leads nowhere is not enabled. @throws RestError 404; 500 then. */
export async function setChannelState(options: ServiceChannelsOptions, call: ByCaller, key: ChannelKey, enabled: boolean): Promise<void> {
  await changeAndServe(options, call, key, enabled, (channel) => (channel.enabled === enabled ? channel : { ...channel, enabled }))
}

async function changeAndServe(
  { clock, editor, isLocked, lifecycle }: ServiceChannelsOptions,
  { caller }: ByCaller,
  key: ChannelKey,
  hasToServe: boolean,
  edit: (channel: AdministeredChannel) => AdministeredChannel,
): Promise<void> {
  let before: AdministeredChannel | undefined
  const changed = await editor.change(caller.user, (document) => {
    const found = findChannel(requireChangeable(document, key, caller, isLocked), key)
    const edited = editChannel(document, key, edit)
    if (edited !== document) before = found
    return edited
  })
  if (!hasToServe || before === undefined) return
  const undone = before
  const entry = findSubaccount(changed, key)
  const after = findChannel(entry, key)
  // Its port stays open, whatever has become of its service.
  if (undone.enabled === after.enabled && channelKey(undone) === channelKey(after)) return
  try {
    await lifecycle.whenChannelServed(entry, key.id)
  } catch (error) {
    // Not what somebody else has made of it meanwhile.
    const done = JSON.stringify(after)
    const undo = (channel: AdministeredChannel): AdministeredChannel => (JSON.stringify(channel) === done ? undone : channel)
    await editor.change(caller.user, (document) =>
      document.subaccounts.some((each) => isSubaccount(each, key))
        ? editSubaccount(document, key, (known) => ({ ...known, channels: known.channels.map(undo) }))
        : document,
    )
    throw notOpened(clock.now(), error)
  }
}

/** The text of the original, and the reason. */
function notOpened(nowMs: number, error: unknown): RestError {
  const when = new Date(nowMs).toISOString().replace('T', ' ').replace('.', ',').replace('Z', ' +0000')
  const reason = error instanceof Error ? ` Reason: ${error.message}` : ''
  return new RestError(
    500,
    'RUNTIME_FAILURE',
    `Service channel could not be opened. See 'Logging and Tracing' and in particular scc_core.trc for details. Associated entries were logged on or around ${when}.${reason}`,
  )
}

/** Removes a channel. @throws RestError 404. */
export async function removeChannel({ editor, isLocked }: ServiceChannelsOptions, { caller }: ByCaller, key: ChannelKey): Promise<void> {
  await editor.change(caller.user, (document) => {
    const gone = findChannel(requireChangeable(document, key, caller, isLocked), key)
    return editSubaccount(document, key, (entry) => ({ ...entry, channels: entry.channels.filter((channel) => channel !== gone) }))
  })
}

/** How a channel is; `undefined` where nothing runs. */
export function statusOf(
  { editor, lifecycle }: ServiceChannelsOptions,
  key: SubaccountKey & { readonly id: number },
): ChannelStatus | undefined {
  return lifecycle.linkOf(findSubaccount(editor.document, key))?.channels.find(({ id }) => id === key.id)
}

/** The number of a channel in a path. @throws RestError 404 for what is none. */
export function channelIdOf({ id = '' }: Readonly<Record<string, string>>): number {
  if (!/^[1-9]\d{0,14}$/.test(id)) throw notFound(`Service channel with value '${id}' does not exist`)
  return Number(id)
}
