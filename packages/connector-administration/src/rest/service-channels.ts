import { channelTypes, defaultChannelHost, localPortOf, type ServiceChannelEntry } from '@sallyport/admin-api'
import { z } from 'zod'
import { type AdministeredChannel, administeredChannelSchema } from '../document/administered-channel.ts'
import type { AdministeredSubaccount, SubaccountKey } from '../document/administered-subaccount.ts'
import { type ChannelKey, findChannel } from '../document/edit-channel.ts'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import { channelBodies } from './channel-bodies.ts'
import {
  changeChannel,
  channelIdOf,
  createChannel,
  removeChannel,
  type ServiceChannelsOptions,
  setChannelState,
} from './channel-changes.ts'
import { checkBody } from './check-body.ts'
import { type Call, type Route, route } from './route.ts'
import { pathOfSubaccount, requireChangeable, subaccountKeyOf, subaccountPath } from './subaccount-path.ts'
import { tolerantBoolean } from './tolerant-values.ts'

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
  const { editor, lifecycle } = options
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
      async handle(call) {
        const key = subaccountKeyOf(call.params)
        const id = await createChannel(options, call, key, (next) =>
          checkBody(administeredChannelSchema, { ...call.body, type, id: next, enabled: false }),
        )
        return { status: 201, headers: { location: call.url(pathOfChannel(key, { type, id })) } }
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
        await changeChannel(options, call, channelKeyOf(params, type), ({ enabled, host, id, maxClients }) =>
          checkBody(administeredChannelSchema, { maxClients, ...given, host: given.host ?? host, type, id, enabled }),
        )
        return { status: 204 }
      },
    }),
    ...switchingAndRemoval(collection, (params) => channelKeyOf(params, type), options),
  ]
}

/** Enabling, disabling and removing one channel, which are alike in every form of it. */
export function switchingAndRemoval(
  collection: string,
  keyOf: (params: Call<unknown>['params']) => ChannelKey,
  options: ServiceChannelsOptions,
): readonly Route[] {
  return [
    route({
      method: 'PUT',
      path: `${collection}/:id/state`,
      permission: 'edit',
      only: 'master',
      body: z.object({ enabled: tolerantBoolean }),
      async handle(call) {
        await setChannelState(options, call, keyOf(call.params), call.body.enabled)
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${collection}/:id`,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        await removeChannel(options, call, keyOf(call.params))
        return { status: 204 }
      },
    }),
  ]
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

function pathOfChannel(key: SubaccountKey, { id, type }: Pick<ChannelKey, 'id' | 'type'>): string {
  return `${pathOfSubaccount(key)}/channels/${type}/${id}`
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
