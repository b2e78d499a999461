import { type Clock, ConnectivityError, type Credentials, type HttpDestination, type Principal, type Secret } from '@sallyport/core'
import type { Dispatcher } from 'undici'
import type { CurrentCredentials } from './current-credentials.ts'
import type { Pools } from './pools.ts'
import { buildHeaders, buildProxyHeaders } from './request-headers.ts'
import { buildTarget } from './request-target.ts'
import type { Route } from './route.ts'

/** What is the same for every request of a client. */
export interface PreparerDeps {
  readonly destination: HttpDestination
  readonly route: Route
  readonly credentials: CurrentCredentials
  readonly clock: Clock
  readonly pools: Pools
  readonly name: string
  readonly closed: AbortSignal
}

/** A request as it goes to a pool. */
export interface PreparedRequest {
  readonly pool: Dispatcher
  readonly path: string
  readonly headers: Record<string, string>
  /** What the proxy will check; to be forgotten when it answers 407. */
  readonly proxyToken: Secret | undefined
  /** What the target will check; others may be at hand when it answers 401. */
  readonly credentials: Credentials
}

export type Preparer = (
  path: string | URL,
  own: Iterable<readonly [string, string]>,
  principal: Principal | undefined,
  signal: AbortSignal,
) => Promise<PreparedRequest>

/** Everything about a request that the destination, its credentials and the way decide. */
export function createPreparer({ destination, route, credentials: current, clock, pools, name, closed }: PreparerDeps): Preparer {
  const { host } = destination.url
  return async (path, own, principal, signal) => {
    if (closed.aborted) throw closedError(name)
    const target = buildTarget(destination, path)
    const credentials = await current.get(signal)
    const headers = buildHeaders({ destination, credentials, own, clock })
    const behalf = credentials.kind === 'principal' ? requirePrincipal(principal, name) : undefined
    if (route.kind === 'stream') {
      if (closed.aborted) throw closedError(name)
      return { pool: pools.of(behalf), path: target, headers: { host, ...headers }, proxyToken: undefined, credentials }
    }
    const token = await askForToken(route.proxy.token, signal, name)
    // After the wait for a token the client may be closed; a new pool would stay open.
    if (closed.aborted) throw closedError(name)
    const proxyHeaders = buildProxyHeaders({ host, token: token.reveal(), locationId: destination.locationId, principal: behalf })
    return {
      pool: pools.of(behalf),
      path: `http://${host}${target}`,
      headers: { ...proxyHeaders, ...headers },
      proxyToken: token,
      credentials,
    }
  }
}

/** For whoever uses a client after it was disposed. */
export function closedError(name: string): ConnectivityError {
  return new ConnectivityError('ABORTED', `the client of ${name} is closed`)
}

function requirePrincipal(principal: Principal | undefined, name: string): Principal {
  if (principal !== undefined) return principal
  throw new ConnectivityError('DESTINATION_INVALID', `${name} propagates a principal, and none is at hand`)
}

async function askForToken(token: (signal: AbortSignal) => Promise<Secret>, signal: AbortSignal, name: string): Promise<Secret> {
  try {
    return await token(signal)
  } catch (error) {
    if (ConnectivityError.is(error)) throw error
    throw new ConnectivityError('TOKEN_NOT_ISSUED', `there is no proxy token for ${name}`, { cause: error })
  }
}
