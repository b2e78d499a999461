import { domainToASCII } from 'node:url'
import { type Address, ConnectivityError, formatAddress } from '@sallyport/core'
import { maxHostBytes } from './limits.ts'

/**
 * The host as it is written to a proxy: unchanged when it is ASCII (virtual hosts keep their case, and are not looked up
 * here), else in Punycode.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for what cannot be a host: empty, blanks, control characters, over 255 bytes.
 */
export function wireHost(address: Address): string {
  // oxlint-disable-next-line no-control-regex -- the question is just whether a character is ASCII
  const host = /^[\x00-\x7f]*$/.test(address.host) ? address.host : domainToASCII(address.host)
  if (/^[\x21-\x7e]+$/.test(host) && !/[/?#@\\]/.test(host) && host.length <= maxHostBytes) return host
  throw new ConnectivityError(
    'MESSAGE_INVALID',
    `connect to ${JSON.stringify(formatAddress(address).slice(0, 300))}: this is not a host name`,
  )
}
