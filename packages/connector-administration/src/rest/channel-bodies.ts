import type { ServiceChannelEntry } from '@sallyport/admin-api'
import { z } from 'zod'
import { tolerantInteger } from './tolerant-values.ts'

const text = z.string().trim().min(1).max(600)
const shared = {
  connections: tolerantInteger(1, 8).default(1),
  comment: z
    .string()
    .max(1024)
    .nullish()
    .transform((comment) => comment ?? ''),
  // Our own: the original always listens on every address of its machine.
  host: z.string().min(1).max(253).optional(),
}
const port = tolerantInteger(1, 65_535)
const instanceNumber = tolerantInteger(0, 99)
const abap = z.object({ abapCloudTenantHost: text, instanceNumber, ...shared })

/** What is sent to make or change a channel, by type. The rules of the connector itself are checked with the document. */
export const channelBodies: Readonly<Record<ServiceChannelEntry['type'], z.ZodType<ChannelBody>>> = {
  ABAPCloud: abap,
  ABAPCloudSNC: abap,
  K8S: z.object({ k8sCluster: text, k8sService: z.string().trim().max(253).nullish(), port, ...shared }).transform(splitCluster),
  HANA: z.object({ hanaInstanceName: text, instanceNumber, ...shared }),
  VirtualMachine: z.object({ name: text, endpointId: text, port, ...shared }),
}

/** What all types have; the rest is checked as that of a channel afterwards. */
export interface ChannelBody {
  readonly connections: number
  readonly comment: string
  readonly host?: string | undefined
}

/** Splits `[<protocol>://]<host>[:<port>]/<service>`, as it is copied from the cluster. Two different services stay, and are refused by the connector's rules. */
function splitCluster<Body extends { readonly k8sCluster: string; readonly k8sService?: string | null | undefined }>(
  body: Body,
): Omit<Body, 'k8sService'> & { readonly k8sService?: string } {
  const { k8sService, ...rest } = body
  const [, cluster = body.k8sCluster, pasted = ''] = /^((?:[^/]+:\/\/)?[^/]+)\/([^/]*)$/.exec(body.k8sCluster) ?? []
  const service = k8sService || pasted
  const isOne = pasted === '' || pasted === service
  return { ...rest, k8sCluster: isOne ? cluster : body.k8sCluster, ...(service === '' ? {} : { k8sService: service }) }
}
