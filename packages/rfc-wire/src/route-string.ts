import { maxRouteBytes, maxRouteHops } from './limits.ts'
import { isPrintable } from './padded-text.ts'
import { type Refused, refuse } from './refusal.ts'

/** One station of a route; the last one is the target itself. */
export interface RouteHop {
  readonly host: string
  /** A port number or the name of a service. */
  readonly service: string
  /** What the SAProuter of this hop asks for; `''` if nothing. A secret. */
  readonly password: string
}

/** The service of a hop that names none. */
export const defaultRouterService = '3299'

/** The parts of a hop behind their markers; `/P/` is how `/W/` was spelled before release 4.0. */
const partOfMarker: ReadonlyMap<string, keyof RouteHop> = new Map([
  ['H', 'host'],
  ['S', 'service'],
  ['W', 'password'],
  ['P', 'password'],
])

/**
 * Reads `/H/<host>[/S/<service>][/W/<password>]`, once per hop. Markers are letters of either case; nothing can be escaped, so no part has a slash.
 * Reasons never repeat the text, because it may hold passwords.
 */
export function parseRouteString(text: string): readonly RouteHop[] | Refused {
  if (text.length > maxRouteBytes) return refuse(`route string longer than ${maxRouteBytes} characters`)
  const [before, ...parts] = text.split('/')
  if (before !== '' || parts.length < 2 || parts.length % 2 !== 0) return refuse('route string: not pairs of /<marker>/<value>')
  const hops: Partial<RouteHop>[] = []
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const part = partOfMarker.get((parts[at] ?? '').toUpperCase())
    const value = parts[at + 1] ?? ''
    if (part === undefined) return refuse('route string: a marker that is not H, S, W or P')
    if (!isRoutePart(value)) return refuse(`route string: ${part} ${hops.length} is empty or not printable`)
    const hop = hops.at(-1)
    if (part === 'host') hops.push({ host: value })
    else if (hop === undefined || hop[part] !== undefined) return refuse(`route string: ${part} without a host of its own`)
    else hops[hops.length - 1] = { ...hop, [part]: value }
  }
  if (hops.length > maxRouteHops) return refuse(`route string of more than ${maxRouteHops} hops`)
  return hops.map(({ host = '', service = defaultRouterService, password = '' }) => ({ host, service, password }))
}

/**
 * Renders a route string that {@link parseRouteString} reads as these hops.
 *
 * @throws TypeError for parts with a slash or a character that is not printable, empty hosts and services, and more hops or characters than are read.
 */
export function formatRouteString(hops: readonly RouteHop[]): string {
  if (hops.length < 1 || hops.length > maxRouteHops) throw new TypeError(`a route has 1 to ${maxRouteHops} hops`)
  const text = hops.map((hop) => {
    for (const part of ['host', 'service', 'password'] as const) {
      if (!isRoutePart(hop[part]) && !(part === 'password' && hop.password === '')) {
        throw new TypeError(`the ${part} of a hop is empty, not printable or has a slash`)
      }
    }
    return `/H/${hop.host}/S/${hop.service}${hop.password === '' ? '' : `/W/${hop.password}`}`
  })
  const whole = text.join('')
  if (whole.length > maxRouteBytes) throw new TypeError(`a route string has at most ${maxRouteBytes} characters`)
  return whole
}

function isRoutePart(value: string): boolean {
  return value !== '' && !value.includes('/') && isPrintable(value)
}
