import { maxRouteBytes, maxRouteHops } from './limits.ts'
import { isPrintable } from './padded-text.ts'
import { formatLayout, readLayout } from './record-layout.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'
import type { RouteHop } from './route-string.ts'

/** What a client or SAProuter sends first to be connected through a SAProuter: protocols.md 11.3. */
export interface RouteRequest {
  readonly hops: readonly RouteHop[]
  /** Hops that are behind: 1 from the client to the first SAProuter. The hop to dial is `hops[passedHops]`. */
  readonly passedHops: number
  /** 0 NI messages, as RFC uses; 1 raw bytes; 2 messages of SAProuters. */
  readonly talkMode: number
}

const headLayout = {
  name: 'route request',
  size: 24,
  constants: [
    [0, '4e495f524f55544500'],
    [9, '02'],
    [13, '0000'],
  ],
  fields: {
    niVersion: [10, 'u8'],
    entries: [11, 'u8'],
    talkMode: [12, 'u8'],
    remainingHops: [15, 'u8'],
    routeBytes: [16, 'u32'],
    nextHopAt: [20, 'u32'],
  },
} as const

const niVersion = 40

/** Whether a frame asks to be routed; such a frame is never for the system behind. */
export function isRouteRequest(payload: Buffer): boolean {
  return payload.toString('latin1', 0, 9) === 'NI_ROUTE\0'
}

/**
 * Renders the payload of a route request.
 *
 * @throws TypeError unless there are 2 hops at least and `passedHops` leaves one; for empty hosts and services and parts that are not printable.
 */
export function formatRouteRequest(request: RouteRequest): Buffer {
  const { hops, passedHops, talkMode } = request
  if (hops.length < 2 || hops.length > maxRouteHops) throw new TypeError(`a route request has 2 to ${maxRouteHops} hops`)
  if (!Number.isInteger(passedHops) || passedHops < 1 || passedHops >= hops.length) throw new TypeError('passedHops leaves no hop to go to')
  const entries = hops.map((hop) => {
    if (hop.host === '' || hop.service === '') throw new TypeError('a hop without host or service')
    if (![hop.host, hop.service, hop.password].every(isPrintable)) throw new TypeError('a part of a hop is not printable')
    return Buffer.from(`${hop.host}\0${hop.service}\0${hop.password}\0`, 'latin1')
  })
  const route = Buffer.concat(entries)
  if (route.length > maxRouteBytes) throw new TypeError(`the hops of a route request have at most ${maxRouteBytes} bytes`)
  const nextHopAt = entries.slice(0, passedHops).reduce((sum, entry) => sum + entry.length, 0)
  const head = { niVersion, entries: hops.length, talkMode, remainingHops: hops.length - passedHops, routeBytes: route.length, nextHopAt }
  return Buffer.concat([formatLayout(headLayout, head), route])
}

/** Reads the payload of a route request. All of its counts and offsets have to agree. */
export function parseRouteRequest(payload: Buffer): RouteRequest | Refused {
  const head = readLayout(headLayout, payload)
  if (isRefused(head)) return head
  const { entries, remainingHops, routeBytes, nextHopAt, talkMode } = head
  if (routeBytes > maxRouteBytes || routeBytes !== payload.length - headLayout.size) return refuse('route request: length of the route')
  if (entries < 2 || entries > maxRouteHops || remainingHops < 1 || remainingHops >= entries) return refuse('route request: number of hops')
  const parts = payload.toString('latin1', headLayout.size).split('\0')
  if (parts.pop() !== '' || parts.length !== entries * 3) return refuse('route request: not three parts per hop')
  if (!parts.every(isPrintable)) return refuse('route request: a part is not printable')
  const hops = Array.from({ length: entries }, (_, at) => ({
    host: parts[at * 3] ?? '',
    service: parts[at * 3 + 1] ?? '',
    password: parts[at * 3 + 2] ?? '',
  }))
  if (hops.some(({ host, service }) => host === '' || service === '')) return refuse('route request: a hop without host or service')
  const passedHops = entries - remainingHops
  const passedBytes = parts.slice(0, passedHops * 3).reduce((sum, part) => sum + part.length + 1, 0)
  return nextHopAt === passedBytes ? { hops, passedHops, talkMode } : refuse('route request: offset of the next hop')
}
