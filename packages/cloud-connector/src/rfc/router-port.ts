/** Named ports of the RFC world by the number that follows their name. */
const bases: Readonly<Record<string, number>> = { sapdp: 3200, sapgw: 3300 }

/** The port behind a service of a route string: a number, `sapdpNN` or `sapgwNN`. */
export function tryRouterPort(service: string): number | undefined {
  if (/^\d{1,5}$/.test(service)) {
    const port = Number(service)
    return port >= 1 && port <= 65_535 ? port : undefined
  }
  const named = /^(sapdp|sapgw)(\d\d)$/.exec(service)
  return named === null ? undefined : (bases[named[1] ?? ''] ?? 0) + Number(named[2])
}

/** As {@link tryRouterPort}, for services that the configuration has been checked for. */
export function routerPort(service: string): number {
  const port = tryRouterPort(service)
  if (port === undefined) throw new TypeError('the service of a SAProuter has no number')
  return port
}
