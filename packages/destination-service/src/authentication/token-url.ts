import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { required } from './property-reading.ts'

/** Whether several tenants share the token service, each with its own address there. */
export function isCommon(properties: DestinationRecord): boolean {
  return properties['tokenServiceURLType']?.trim().toLowerCase() === 'common'
}

/**
 * Resolves `tokenServiceURL`. Without a subdomain it stays as it is. With one every `{tenant}` becomes the subdomain; where there is none, the subdomain
 * is put before the host. The subdomain has been checked to be one label, so that it cannot lead to another host.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` when there is no usable URL.
 */
export function resolveTokenUrl(properties: DestinationRecord, subdomain: string | undefined): URL {
  const template = required(properties, 'tokenServiceURL')
  if (subdomain === undefined) return parse(template)
  if (template.includes('{tenant}')) return parse(template.replaceAll('{tenant}', subdomain))
  const { protocol, host, pathname, search } = parse(template)
  return parse(`${protocol}//${subdomain}.${host}${pathname}${search}`)
}

function parse(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new ConnectivityError('DESTINATION_INVALID', 'The property tokenServiceURL is not an http or https URL')
  if (url.username !== '' || url.password !== '')
    throw new ConnectivityError('DESTINATION_INVALID', 'The property tokenServiceURL must not contain credentials')
  return url
}
