import { ConnectivityError } from './errors.ts'

/** A host as the far side of a {@link Dial} sees it, and a TCP port 1..65535. IPv6 hosts are without brackets. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Reads `host:port`, `[v6]:port` or, with `defaultPort`, a bare host.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for an empty host, white space, or a port outside 1..65535.
 */
export function parseAddress(text: string, defaultPort?: number): Address {
  const address = tryParseAddress(text, defaultPort)
  if (address === undefined) {
    throw new ConnectivityError('MESSAGE_INVALID', `"${text.slice(0, 200)}" is not a host and port such as erp.example.org:443`)
  }
  return address
}

/** As {@link parseAddress}, but `undefined` for what is not an address. */
export function tryParseAddress(text: string, defaultPort?: number): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? ''
  const port = match[3] === undefined ? defaultPort : Number(match[3])
  if (port === undefined || port < 1 || port > 65_535) return undefined
  return { host, port }
}

/** The written form that {@link parseAddress} reads. */
export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
