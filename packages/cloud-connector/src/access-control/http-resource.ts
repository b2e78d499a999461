import { decodeOnce, readRequestPath } from './request-path.ts'

/** What an HTTP mapping admits. Methods are never restricted. */
export interface HttpResource {
  readonly path: string
  /** *Path only*; otherwise *path and all sub-paths*. */
  readonly exactMatchOnly: boolean
  /** A suspended resource stays configured and admits nothing. */
  readonly enabled: boolean
  readonly websocketUpgradeAllowed: boolean
  readonly description: string
}

/**
 * Tells whether a resource admits a path.
 *
 * Unless `exactMatchOnly` is set, the path only has to *start with* the resource, as a string: `/accounting` also admits
 * `/accounting-archive`. That looks like a bug but is the documented behaviour of the original; `/accounting/` admits sub-paths only.
 *
 * The comparison is case-sensitive and knows no query. `path` must come from {@link readRequestPath}: a raw path would let
 * `/accounting/../payroll` through.
 *
 * @returns `false` for a suspended resource as well.
 *
 * @example
 * admits({ path: '/accounting', enabled: true, exactMatchOnly: false, websocketUpgradeAllowed: false, description: '' }, '/accounting/2024') // true
 */
export function admits(resource: HttpResource, path: string): boolean {
  if (!resource.enabled) return false
  return resource.exactMatchOnly ? path === resource.path : path.startsWith(resource.path)
}

/**
 * Tells whether a resource admits every reading of a climbing path. The resource is read the same way, so that one written with
 * escapes meets the decoded readings too.
 */
export function admitsAllReadings(resource: HttpResource, readings: readonly string[]): boolean {
  if (!resource.enabled) return false
  let text = resource.path
  for (const [level, reading] of readings.entries()) {
    if (level > 0) text = decodeOnce(text)
    if (resource.exactMatchOnly ? reading !== text : !reading.startsWith(text)) return false
  }
  return true
}

/** Why no request could ever be admitted by a resource with this path, or `undefined` when it is fine. */
export function explainResourcePath(path: string): string | undefined {
  if (!path.startsWith('/')) return 'must start with /'
  if (path.includes('?')) return 'must not hold a query: the query never influences the decision'
  const reading = readRequestPath(path)
  if (reading.kind === 'refused') return `admits nothing, because ${reading.reason}`
  if (reading.kind === 'climbing') return 'must not hold dot segments'
  return undefined
}
