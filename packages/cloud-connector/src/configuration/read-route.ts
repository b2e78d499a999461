import { isRefused, parseRouteString, type RouteHop } from '@sallyport/rfc-wire'
import { tryRouterPort } from '../rfc/router-port.ts'

/** Reads the SAProuters of a mapping, or says what is wrong with them. The target is not among them: it is the mapping's. Problems repeat no passwords. */
export function readRoute(text: string): readonly RouteHop[] | { readonly problem: string } {
  const hops = parseRouteString(text)
  if (isRefused(hops)) return { problem: hops.refused }
  return hops.every(({ service }) => tryRouterPort(service) !== undefined)
    ? hops
    : { problem: 'route string: a service is neither a port nor sapdpNN nor sapgwNN' }
}
