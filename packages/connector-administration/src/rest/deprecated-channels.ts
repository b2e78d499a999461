import { localPortOf, type ServiceChannelEntry, targetOf } from '@sallyport/admin-api'
import { channelTypeNames } from '@sallyport/cloud-connector'
import { z } from 'zod'
import { type AdministeredChannel, administeredChannelSchema } from '../document/administered-channel.ts'
import type { ChannelKey } from '../document/edit-channel.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import { changeChannel, channelIdOf, createChannel, type ServiceChannelsOptions, statusOf } from './channel-changes.ts'
import { checkBody } from './check-body.ts'
import { invalidRequest, notFound } from './rest-error.ts'
import { type Call, type Route, route } from './route.ts'
import { switchingAndRemoval } from './service-channels.ts'
import { pathOfSubaccount, subaccountKeyOf, subaccountPath } from './subaccount-path.ts'
import { tolerantInteger } from './tolerant-values.ts'

const collection = `${subaccountPath}/channels`

const body = z.object({
  typeKey: z.enum(['HANA_DB', 'HCPVM', 'RFC']),
  details: z.string().trim().min(1).max(253),
  serviceNumber: tolerantInteger(0, 65_535),
  connectionCount: tolerantInteger(1, 8).default(1),
})

/** Channels of all types in one list, in the form that clients of early versions know (cloud-connector.md §8.10). It has words for three of the types only. */
export function deprecatedChannels(options: ServiceChannelsOptions): readonly Route[] {
  const { editor } = options
  const find = (params: Call<unknown>['params']): AdministeredChannel => {
    const id = channelIdOf(params)
    const found = findSubaccount(editor.document, subaccountKeyOf(params)).channels.find((channel) => channel.id === id)
    if (found === undefined) throw notFound(`Service channel with value '${id}' does not exist`)
    return found
  }
  const keyOf = (params: Call<unknown>['params']): ChannelKey => {
    const { id, type } = find(params)
    return { ...subaccountKeyOf(params), id, type }
  }
  const describe = (params: Call<unknown>['params'], channel: AdministeredChannel): unknown => {
    const status = statusOf(options, { ...subaccountKeyOf(params), ...channel })
    const isOpen = status?.state.kind === 'open'
    return {
      id: channel.id,
      typeDesc: channelTypeNames[channel.type],
      details: channel.type === 'VirtualMachine' ? channel.name : targetOf(channel).serviceId,
      port: localPortOf(channel),
      enabled: channel.enabled,
      connected: isOpen,
      connectionsCount: channel.connections,
      availableConnectionsCount: isOpen ? channel.connections : 0,
      connectedSinceTimeStamp: status?.state.kind === 'open' ? status.state.sinceMs : 0,
    }
  }
  return [
    route({
      method: 'GET',
      path: collection,
      permission: 'all',
      handle: ({ params }) => ({
        status: 200,
        body: findSubaccount(editor.document, subaccountKeyOf(params)).channels.map((channel) => describe(params, channel)),
      }),
    }),
    route({
      method: 'POST',
      path: collection,
      permission: 'edit',
      only: 'master',
      body,
      async handle(call) {
        const key = subaccountKeyOf(call.params)
        const id = await createChannel(options, call, key, (next) => toChannel(call.body, { id: next, enabled: false, comment: '' }))
        return { status: 201, headers: { location: call.url(`${pathOfSubaccount(key)}/channels/${id}`) } }
      },
    }),
    route({
      method: 'GET',
      path: `${collection}/:id`,
      permission: 'all',
      handle: ({ params }) => ({ status: 200, body: describe(params, find(params)) }),
    }),
    route({
      method: 'PUT',
      path: `${collection}/:id`,
      permission: 'edit',
      only: 'master',
      body,
      async handle(call) {
        await changeChannel(options, call, keyOf(call.params), (known) => {
          const { comment, enabled, host, id, maxClients, type } = known
          const changed = toChannel(call.body, { id, enabled, comment, host, maxClients })
          if (changed.type !== type)
            throw invalidRequest(`typeKey: the channel ${id} is of type ${channelTypeNames[type].typeKey} and stays so`)
          return isSameMachine(known, changed) ? { ...changed, endpointId: known.endpointId } : changed
        })
        return { status: 204 }
      },
    }),
    ...switchingAndRemoval(collection, keyOf, options),
  ]
}

function isSameMachine(
  known: AdministeredChannel,
  changed: AdministeredChannel,
): known is Extract<AdministeredChannel, { type: 'VirtualMachine' }> {
  return known.type === 'VirtualMachine' && changed.type === 'VirtualMachine' && known.name === changed.name
}

/** The form knows one text and one number: those of a machine are its name, which stands for its endpoint as well, and the port itself. */
function toChannel(
  { connectionCount, details, serviceNumber, typeKey }: z.output<typeof body>,
  kept: Partial<ServiceChannelEntry>,
): AdministeredChannel {
  const shared = { ...kept, connections: connectionCount }
  switch (typeKey) {
    case 'HANA_DB':
      return checkBody(administeredChannelSchema, { ...shared, type: 'HANA', hanaInstanceName: details, instanceNumber: serviceNumber })
    case 'HCPVM':
      return checkBody(administeredChannelSchema, {
        ...shared,
        type: 'VirtualMachine',
        name: details,
        endpointId: details,
        port: serviceNumber,
      })
    case 'RFC':
      return checkBody(administeredChannelSchema, {
        ...shared,
        type: 'ABAPCloud',
        abapCloudTenantHost: details,
        instanceNumber: serviceNumber,
      })
  }
}
