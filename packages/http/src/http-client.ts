import type { Readable } from 'node:stream'
import {
  abortedError,
  type Clock,
  type ConnectContext,
  type HttpDestination,
  type Principal,
  type ProtocolClient,
  type Secret,
} from '@sallyport/core'
import type { Dispatcher } from 'undici'
import { createDestinationDispatcher } from './destination-dispatcher.ts'
import { createCurrentCredentials } from './current-credentials.ts'
import { pingFailure } from './ping.ts'
import type { Pools } from './pools.ts'
import { closedError, createPreparer } from './prepare-request.ts'
import { toResponse } from './response.ts'
import type { Route } from './route.ts'
import { createSender } from './send-request.ts'

/** What `fetch` takes, as far as it makes sense for a destination. */
export interface HttpRequestOptions {
  /** The default is `GET`. */
  readonly method?: string
  readonly headers?: Headers | Readonly<Record<string, string>> | Iterable<readonly [string, string]>
  readonly body?: string | Uint8Array | URLSearchParams | Readable | AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
  /** On whose behalf, instead of the principal the client was connected for (destinations with principal propagation). */
  readonly principal?: Principal
  /** Whether a writing request brings a CSRF token, fetched first where none is at hand; the default is the adapter's. */
  readonly csrf?: boolean
}

/** Sends requests to one destination. Disposing closes every connection; requests that are open then fail with `ABORTED`. */
export interface HttpClient extends ProtocolClient {
  /**
   * As `fetch`: resolves with the answer whatever its status. `path` continues the destination's URL and is sent byte for
   * byte; an absolute URL of the same origin stands for itself. Redirects are not followed.
   *
   * @throws ConnectivityError when there is no answer: `BACKEND_UNREACHABLE`, `BACKEND_TIMEOUT`, `BACKEND_UNTRUSTED`,
   * `PROTOCOL_VIOLATION`, `MESSAGE_INVALID`, `ABORTED`, … and whatever the dial throws.
   */
  request(path: string | URL, options?: HttpRequestOptions): Promise<Response>
  /** The same for libraries on undici: takes URLs of the destination's origin and adds headers, queries, credentials and the proxy. */
  readonly dispatcher: Dispatcher
}

/** What the adapter has decided before there is a client. */
export interface HttpClientDeps {
  readonly destination: HttpDestination
  readonly route: Route
  readonly context: ConnectContext
  readonly clock: Clock
  readonly pools: Pools
  /** Whether requests that write bring a CSRF token unless they say otherwise. */
  readonly csrf: boolean
  /** Fires with {@link HttpClientDeps.close}: nothing of this client waits longer. */
  readonly closed: AbortSignal
  readonly close: () => void
}

/** Makes the client of one destination. */
export function createHttpClient({
  destination,
  route,
  context,
  clock,
  pools,
  csrf: guardsWrites,
  closed,
  close,
}: HttpClientDeps): HttpClient {
  const name = `destination "${destination.name}"`

  const current = createCurrentCredentials(context, clock, destination.name)
  const prepare = createPreparer({ destination, route, credentials: current, clock, pools, name, closed })

  const noteStatus = (status: number, token: Secret | undefined): boolean => {
    if (status !== 407 || token === undefined || route.kind !== 'proxy' || route.proxy.forget === undefined) return false
    route.proxy.forget(token)
    return true
  }

  const send = createSender({
    prepare,
    renew: async ({ proxyToken, credentials }, status, signal) =>
      status === 407 ? noteStatus(status, proxyToken) : current.renew(credentials, signal),
    clock,
    closed,
  })

  const request = async (path: string | URL, options: HttpRequestOptions = {}): Promise<Response> => {
    const { method = 'GET', body, signal, principal = context.principal, csrf = guardsWrites } = options
    const attempt = `${/^[A-Za-z]{1,20}$/.test(method) ? method : 'request'} at ${name}`
    if (closed.aborted) throw closedError(name)
    if (signal?.aborted === true) throw abortedError(signal, attempt)
    const written = body instanceof URLSearchParams ? body.toString() : body
    const headers = withContentType([...entries(options.headers)], body)
    const answer = await send({ method, path, headers, body: written, principal, csrf, signal, attempt })
    return toResponse(answer, method, attempt, signal)
  }

  return {
    request,
    dispatcher: createDestinationDispatcher({
      pool: () => pools.of(context.credentials.kind === 'principal' ? context.principal : undefined),
      prepare: (path, own) => prepare(path, own, context.principal, closed),
      closed,
      origin: destination.url.origin,
      noteStatus: (status, token) => void noteStatus(status, token),
      name,
    }),
    async ping(signal) {
      const response = await request('', { method: 'HEAD', signal })
      const failure = pingFailure(response, `ping of ${name}`)
      if (failure !== undefined) throw failure
    },
    async [Symbol.asyncDispose]() {
      close()
      await pools.destroy()
    },
  }
}

function entries(headers: HttpRequestOptions['headers']): Iterable<readonly [string, string]> {
  if (headers === undefined) return []
  return Symbol.iterator in headers ? headers : Object.entries(headers)
}

/** The media types that `fetch` adds by itself. */
function withContentType(own: (readonly [string, string])[], body: unknown): readonly (readonly [string, string])[] {
  if (own.some(([name]) => name.toLowerCase() === 'content-type')) return own
  if (body instanceof URLSearchParams) return [...own, ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8']]
  return typeof body === 'string' ? [...own, ['content-type', 'text/plain;charset=UTF-8']] : own
}
