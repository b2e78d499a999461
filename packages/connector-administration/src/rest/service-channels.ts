import { channelTypes, defaultChannelHost, localPortOf, type ServiceChannelEntry } from '@sallyport/admin-api'
import type { ChannelStatus } from '@sallyport/cloud-connector'
import type { Clock } from '@sallyport/core'
import { z } from 'zod'
import { type AdministeredChannel, administeredChannelSchema } from '../document/administered-channel.ts'
import { type AdministeredSubaccount, isSubaccount, type SubaccountKey } from '../document/administered-subaccount.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { addChannel, type ChannelKey, editChannel, findChannel } from '../document/edit-channel.ts'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import type { SubaccountLifecycle } from '../subaccounts/subaccount-lifecycle.ts'
import { channelBodies } from './channel-bodies.ts'
import { checkBody } from './check-body.ts'
import { notFound, RestError } from './rest-error.ts'
import { type Call, type Route, route } from './route.ts'
import { type IsLocked, pathOfSubaccount, requireChangeable, subaccountKeyOf, subaccountPath } from './subaccount-path.ts'
import { tolerantBoolean } from './tolerant-values.ts'

/** What the routes of service channels work on. */
export interface ServiceChannelsOptions {
  readonly editor: ConfigurationEditor
  readonly lifecycle: Pick<SubaccountLifecycle, 'linkOf' | 'whenChannelOpen'>
  readonly clock: Clock
  readonly isLocked: IsLocked
}

/** Service channels (cloud-connector.md §8.10). A new one is disabled until somebody enables it. */
export function serviceChannels(options: ServiceChannelsOptions): readonly Route[] {
  return [
    ...channelTypes.flatMap((type) => routesOfType(type, options)),
    deletion(`${subaccountPath}/channels`, () => true, options),
    ...(['HANA', 'VirtualMachine'] as const).map((type) =>
      route({
        method: 'GET',
        path: `${subaccountPath}/availableChannels/${type}`,
        permission: 'all',
        handle({ params }) {
          findSubaccount(options.editor.document, subaccountKeyOf(params))
          // The cloud side has no databases and machines of its own that it could offer.
          return { status: 200, body: [] }
        },
      }),
    ),
  ]
}

function routesOfType(type: ServiceChannelEntry['type'], options: ServiceChannelsOptions): readonly Route[] {
  const { editor, isLocked, lifecycle } = options
  const collection = `${subaccountPath}/channels/${type}`
  const body = channelBodies[type]
  const render = (entry: AdministeredSubaccount, channel: AdministeredChannel, url: Call<unknown>['url']): unknown =>
    renderChannel(entry, channel, lifecycle, url)
  return [
    route({
      method: 'GET',
      path: collection,
      permission: 'all',
      handle({ params, url }) {
        const entry = findSubaccount(editor.document, subaccountKeyOf(params))
        return {
          status: 200,
          body: entry.channels.filter((channel) => channel.type === type).map((channel) => render(entry, channel, url)),
        }
      },
    }),
    route({
      method: 'POST',
      path: collection,
      permission: 'edit',
      only: 'master',
      body,
      async handle({ body: given, caller, params, url }) {
        const key = subaccountKeyOf(params)
        let id = 0
        await editor.change(caller.user, (document) => {
          requireChangeable(document, key, caller, isLocked)
          const added = addChannel(document, key, (next) =>
            checkBody(administeredChannelSchema, { ...given, type, id: next, enabled: false }),
          )
          id = added.channel.id
          return added.document
        })
        return { status: 201, headers: { location: url(pathOfChannel(key, { type, id })) } }
      },
    }),
    deletion(collection, (channel) => channel.type === type, options),
    route({
      method: 'GET',
      path: `${collection}/:id`,
      permission: 'all',
      handle({ params, url }) {
        const entry = findSubaccount(editor.document, subaccountKeyOf(params))
        return { status: 200, body: render(entry, findChannel(entry, channelKeyOf(params, type)), url) }
      },
    }),
    route({
      method: 'PUT',
      path: `${collection}/:id`,
      permission: 'edit',
      only: 'master',
      body,
      async handle(call) {
        const { body: given, params } = call
        const key = channelKeyOf(params, type)
        const isOpen = statusOf(options, key)?.state.kind === 'open'
        await changeChannel(options, call, key, isOpen, ({ enabled, host, id, maxClients }) =>
          checkBody(administeredChannelSchema, { maxClients, ...given, host: given.host ?? host, type, id, enabled }),
        )
        return { status: 204 }
      },
    }),
    route({
      method: 'PUT',
      path: `${collection}/:id/state`,
      permission: 'edit',
      only: 'master',
      body: z.object({ enabled: tolerantBoolean }),
      async handle(call) {
        const { enabled } = call.body
        await changeChannel(options, call, channelKeyOf(call.params, type), enabled, (channel) =>
          channel.enabled === enabled ? channel : { ...channel, enabled },
        )
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${collection}/:id`,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        await removeChannel(options, call, channelKeyOf(call.params, type))
        return { status: 204 }
      },
    }),
  ]
}

/** Changes a channel. One that has to be open afterwards and is not, is as it was before. @throws RestError 500 then. */
export async function changeChannel(
  { clock, editor, isLocked, lifecycle }: ServiceChannelsOptions,
  { caller }: Pick<Call<unknown>, 'caller'>,
  key: ChannelKey,
  hasToOpen: boolean,
  edit: (channel: AdministeredChannel) => AdministeredChannel,
): Promise<void> {
  let before: AdministeredChannel | undefined
  const changed = await editor.change(caller.user, (document) => {
    const found = findChannel(requireChangeable(document, key, caller, isLocked), key)
    const edited = editChannel(document, key, edit)
    if (edited !== document) before = found
    return edited
  })
  if (!hasToOpen || before === undefined) return
  const undone = before
  const entry = findSubaccount(changed, key)
  try {
    await lifecycle.whenChannelOpen(entry, key.id)
  } catch (error) {
    // Not what somebody else has made of it meanwhile.
    const done = JSON.stringify(findChannel(entry, key))
    const undo = (channel: AdministeredChannel): AdministeredChannel => (JSON.stringify(channel) === done ? undone : channel)
    await editor.change(caller.user, (document) =>
      document.subaccounts.some((each) => isSubaccount(each, key))
        ? editSubaccount(document, key, (known) => ({ ...known, channels: known.channels.map(undo) }))
        : document,
    )
    throw notOpened(clock.now(), error)
  }
}

/** Removes a channel. @throws RestError 404. */
export async function removeChannel(
  { editor, isLocked }: ServiceChannelsOptions,
  { caller }: Pick<Call<unknown>, 'caller'>,
  key: ChannelKey,
): Promise<void> {
  await editor.change(caller.user, (document) => {
    const gone = findChannel(requireChangeable(document, key, caller, isLocked), key)
    return editSubaccount(document, key, (entry) => ({ ...entry, channels: entry.channels.filter((channel) => channel !== gone) }))
  })
}

/** The text of the original, and the reason. */
function notOpened(nowMs: number, error: unknown): RestError {
  const when = new Date(nowMs).toISOString()
  const reason = error instanceof Error ? ` Reason: ${error.message}` : ''
  return new RestError(
    500,
    'RUNTIME_FAILURE',
    `Service channel could not be opened. See 'Logging and Tracing' and in particular scc_core.trc for details. Associated entries were logged on or around ${when}.${reason}`,
  )
}

function deletion(path: string, isMeant: (channel: AdministeredChannel) => boolean, { editor, isLocked }: ServiceChannelsOptions): Route {
  return route({
    method: 'DELETE',
    path,
    permission: 'edit',
    only: 'master',
    async handle({ caller, params }) {
      const key = subaccountKeyOf(params)
      await editor.change(caller.user, (document) => {
        if (!requireChangeable(document, key, caller, isLocked).channels.some(isMeant)) return document
        return editSubaccount(document, key, (entry) => ({ ...entry, channels: entry.channels.filter((channel) => !isMeant(channel)) }))
      })
      return { status: 204 }
    },
  })
}

function channelKeyOf(params: Readonly<Record<string, string>>, type: ServiceChannelEntry['type']): ChannelKey {
  return { ...subaccountKeyOf(params), type, id: channelIdOf(params) }
}

/** The number of a channel in a path. @throws RestError 404 for what is none. */
export function channelIdOf({ id = '' }: Readonly<Record<string, string>>): number {
  if (!/^[1-9]\d{0,14}$/.test(id)) throw notFound(`Service channel with value '${id}' does not exist`)
  return Number(id)
}

function pathOfChannel(key: SubaccountKey, { id, type }: Pick<ChannelKey, 'id' | 'type'>): string {
  return `${pathOfSubaccount(key)}/channels/${type}/${id}`
}

/** How a channel is; `undefined` where nothing runs. */
export function statusOf({ editor, lifecycle }: ServiceChannelsOptions, key: ChannelKey): ChannelStatus | undefined {
  return lifecycle.linkOf(findSubaccount(editor.document, key))?.channels.find(({ id }) => id === key.id)
}

function renderChannel(
  entry: AdministeredSubaccount,
  channel: AdministeredChannel,
  lifecycle: ServiceChannelsOptions['lifecycle'],
  url: Call<unknown>['url'],
): unknown {
  const { enabled, host, maxClients: _, ...shown } = channel
  const self = url(pathOfChannel(entry, channel))
  const status = lifecycle.linkOf(entry)?.channels.find(({ id }) => id === channel.id)
  const state = {
    connected: status?.state.kind === 'open',
    openedConnections: status?.openedConnections ?? 0,
    connectedSinceTimeStamp: status?.state.kind === 'open' ? status.state.sinceMs : 0,
  }
  return {
    ...shown,
    // The original knows no address, so what is as usual looks as it does there.
    ...(host === defaultChannelHost ? {} : { host }),
    port: localPortOf(channel),
    enabled,
    ...(enabled ? { state } : {}),
    _links: { self: { href: self }, state: { href: `${self}/state` } },
  }
}
