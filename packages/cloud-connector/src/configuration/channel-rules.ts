import { isIPv4 } from 'node:net'
import {
  type ConfigurationProblem,
  type ConnectorEntry,
  localPortOf,
  parseClusterAddress,
  type ServiceChannelEntry,
} from '@sallyport/admin-api'
import { withoutSncLibrary } from '../channels/service-channel.ts'

/** What is wrong with the channels of one connector. Paths are relative to the connector. */
export function checkChannels({ channels }: ConnectorEntry): readonly ConfigurationProblem[] {
  return channels.flatMap((channel, at) => [
    ...clusterProblems(channel).map((problem) => ({ ...problem, path: ['channels', at, ...problem.path] })),
    ...(channel.id !== undefined && channels.findIndex(({ id }) => id === channel.id) < at
      ? [{ path: ['channels', at, 'id'], message: `the channel ${channel.id} stands twice` }]
      : []),
  ])
}

/** Channels that want the port of an earlier one, across all connectors of this process; only one of them could be open. */
export function findSamePorts(entries: readonly ConnectorEntry[]): readonly ConfigurationProblem[] {
  const seen = new Map<string, string>()
  return entries.flatMap(({ channels }, connector) =>
    channels.flatMap((channel, at) => {
      if (!channel.enabled) return []
      const where = `${channel.host}:${localPortOf(channel)}`
      const first = seen.get(where)
      if (first !== undefined) return [{ path: [connector, 'channels', at], message: `${where} is already the port of ${first}` }]
      seen.set(where, `connectors[${connector}].channels[${at}]`)
      return []
    }),
  )
}

/** Channels that work differently than one may think. */
export function channelWarnings(channels: readonly ServiceChannelEntry[]): readonly string[] {
  return channels.flatMap((channel) => {
    const where = `service channel ${channel.host}:${localPortOf(channel)}`
    if (!channel.enabled) return []
    return [
      ...(channel.type === 'ABAPCloudSNC' ? [`${where}: ${withoutSncLibrary}`] : []),
      ...(isLoopback(channel.host)
        ? []
        : [`${where}: every client that reaches this address reaches the service, without being asked who it is`]),
    ]
  })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (host.startsWith('127.') && isIPv4(host))
}

function clusterProblems(channel: ServiceChannelEntry): readonly ConfigurationProblem[] {
  if (channel.type !== 'K8S') return []
  const { serviceId } = parseClusterAddress(channel.k8sCluster)
  if (serviceId === undefined && channel.k8sService === undefined)
    return [{ path: ['k8sService'], message: 'name the service, here or behind a slash in k8sCluster' }]
  if (serviceId !== undefined && channel.k8sService !== undefined && serviceId !== channel.k8sService)
    return [{ path: ['k8sService'], message: `k8sCluster names the service "${serviceId}" and k8sService "${channel.k8sService}"` }]
  return []
}
