import { z } from 'zod'
import { parseClusterAddress } from './cluster-address.ts'

/** What every service channel has. */
interface ChannelBase {
  /** Never used again by the same connector. Absent: the connector gives one. */
  readonly id?: number | undefined
  /** `false`: configured, but its port is closed. */
  readonly enabled: boolean
  readonly comment: string
  /** Address of this machine that its port is opened on. */
  readonly host: string
  /** Physical connections to the cloud side that are reserved for it: one for each ten clients at a time is the rule. */
  readonly connections: number
  /** Clients at a time; one more is turned away. */
  readonly maxClients: number
}

/** An ABAP system in the cloud, by RFC on port 33NN; with SNC on 48NN. */
interface AbapChannelEntry extends ChannelBase {
  readonly type: 'ABAPCloud' | 'ABAPCloudSNC'
  readonly abapCloudTenantHost: string
  readonly instanceNumber: number
}

/** A service of a Kubernetes cluster. */
interface ClusterChannelEntry extends ChannelBase {
  readonly type: 'K8S'
  /** `[<protocol>://]<host>[:<port>][/<service>]`; without protocol `tcp`, without port 443. */
  readonly k8sCluster: string
  /** May stand in `k8sCluster` instead. */
  readonly k8sService?: string | undefined
  readonly port: number
}

/** A HANA database, on port 3NN15. */
interface HanaChannelEntry extends ChannelBase {
  readonly type: 'HANA'
  readonly hanaInstanceName: string
  readonly instanceNumber: number
}

/** A virtual machine. */
interface MachineChannelEntry extends ChannelBase {
  readonly type: 'VirtualMachine'
  readonly name: string
  readonly endpointId: string
  readonly port: number
}

/** A local port of the connector that leads to a service of the cloud side. */
export type ServiceChannelEntry = AbapChannelEntry | ClusterChannelEntry | HanaChannelEntry | MachineChannelEntry

/** The kinds of service channels, as the original calls them. */
export const channelTypes: readonly ServiceChannelEntry['type'][] = ['ABAPCloud', 'ABAPCloudSNC', 'K8S', 'HANA', 'VirtualMachine']

/** The port of this machine that a channel listens on: 33NN, 48NN and 3NN15 follow from the instance number. */
export function localPortOf(channel: ServiceChannelEntry): number {
  switch (channel.type) {
    case 'ABAPCloud':
      return 3300 + channel.instanceNumber
    case 'ABAPCloudSNC':
      return 4800 + channel.instanceNumber
    case 'HANA':
      return 30_015 + 100 * channel.instanceNumber
    case 'K8S':
    case 'VirtualMachine':
      return channel.port
  }
}

/** Which service of the cloud side a channel leads to. */
export interface ChannelTarget {
  readonly serviceType: 'RFC' | 'TCP'
  readonly serviceId: string
  /** `host:port` of the Kubernetes cluster; `undefined` where the service is one of the cloud side itself. */
  readonly cluster: string | undefined
}

/** The service that a channel leads to. The cloud side knows ABAP systems by their tenant host, databases by their name, machines by their endpoint. */
export function targetOf(channel: ServiceChannelEntry): ChannelTarget {
  switch (channel.type) {
    case 'ABAPCloud':
    case 'ABAPCloudSNC':
      return { serviceType: 'RFC', serviceId: channel.abapCloudTenantHost.toLowerCase(), cluster: undefined }
    case 'HANA':
      return { serviceType: 'TCP', serviceId: channel.hanaInstanceName, cluster: undefined }
    case 'VirtualMachine':
      return { serviceType: 'TCP', serviceId: channel.endpointId, cluster: undefined }
    case 'K8S': {
      const { protocol, host, port, serviceId } = parseClusterAddress(channel.k8sCluster)
      const cluster = `${host.includes(':') ? `[${host}]` : host}:${port}`
      return { serviceType: protocol === 'rfc' ? 'RFC' : 'TCP', serviceId: channel.k8sService ?? serviceId ?? '', cluster }
    }
  }
}

const port = z.int().min(1).max(65_535).describe('Port of this machine')
const instanceNumber = z.int().min(0).max(99).describe('NN of the local port')
/** Where a channel listens unless another address is told. */
export const defaultChannelHost = '127.0.0.1'

const base = {
  id: z.int().min(1).optional().describe('Number of the channel; the connector gives one unless it is written'),
  enabled: z.boolean().default(true).describe('A channel that is not enabled stays configured, with its port closed'),
  comment: z.string().max(1024).default(''),
  host: z
    .string()
    .min(1)
    .max(253)
    .default(defaultChannelHost)
    .describe('Address of this machine to listen on; every client that reaches it reaches the service'),
  connections: z.int().min(1).max(8).default(1).describe('Physical connections to the cloud side, used from the next connect on'),
  maxClients: z.int().min(1).max(10_000).default(1_000).describe('Clients at a time; further ones are turned away'),
}
const tenantHost = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'a host name without protocol and port')
  .describe('Such as <guid>.abap.<region>.hana.ondemand.com, not the name of its web front end')
const serviceId = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[^\s/]+$/, 'without blanks and slashes')

const clusterAddress = z
  .string()
  .min(1)
  .max(600)
  .superRefine((text, context) => {
    try {
      parseClusterAddress(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'cannot be read' })
    }
  })
  .describe('[<protocol>://]<cluster host>[:<port>][/<service id>], as the status of its service mapping has it')

const abap = { abapCloudTenantHost: tenantHost, instanceNumber }

/** Schema of one entry of `channels:`. */
export const serviceChannelSchema: z.ZodType<ServiceChannelEntry> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ABAPCloud'), ...abap, ...base }),
  z.strictObject({ type: z.literal('ABAPCloudSNC'), ...abap, ...base }),
  z.strictObject({ type: z.literal('K8S'), k8sCluster: clusterAddress, k8sService: serviceId.optional(), port, ...base }),
  z.strictObject({ type: z.literal('HANA'), hanaInstanceName: serviceId, instanceNumber, ...base }),
  z.strictObject({
    type: z.literal('VirtualMachine'),
    name: z.string().min(1).max(253),
    endpointId: serviceId.describe('GUID of its endpoint'),
    port,
    ...base,
  }),
])
