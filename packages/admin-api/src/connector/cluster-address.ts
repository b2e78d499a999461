import { ConnectivityError, tryParseAddress } from '@sallyport/core'

/** Where a service of a Kubernetes cluster is, in one text. */
export interface ClusterAddress {
  readonly protocol: 'tcp' | 'rfc'
  /** Without brackets, in lower case. */
  readonly host: string
  readonly port: number
  /** `undefined` when the text ends with the cluster. */
  readonly serviceId: string | undefined
}

/**
 * Splits `[<protocol>://]<cluster host>[:<port>][/<service id>]`, the form in which the status of a service mapping names its endpoint.
 * Without protocol it is `tcp`, without port 443.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for anything else.
 *
 * @example
 * parseClusterAddress('cp.example.org:443/orders.db') // { protocol: 'tcp', host: 'cp.example.org', port: 443, serviceId: 'orders.db' }
 */
export function parseClusterAddress(text: string): ClusterAddress {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/\s]+)(?:\/([^/\s]*))?$/.exec(text)
  const protocol = match?.[1]?.toLowerCase() ?? 'tcp'
  const address = tryParseAddress(match?.[2] ?? '', 443)
  if (match === null || address === undefined || (protocol !== 'tcp' && protocol !== 'rfc')) {
    throw new ConnectivityError(
      'MESSAGE_INVALID',
      `"${text.slice(0, 200)}" is not a cluster such as cp.example.org:443 or tcp://cp.example.org:443/service; protocols are tcp and rfc`,
    )
  }
  const serviceId = match[3] === undefined || match[3] === '' ? undefined : match[3]
  return { protocol, host: address.host.toLowerCase(), port: address.port, serviceId }
}
